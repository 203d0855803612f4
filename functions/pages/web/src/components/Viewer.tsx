// One file, as large as the window: the next by arrow key, swipe or the strip below. Near-black in both themes.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ShareFile } from "../api/types";
import { size } from "../lib/format";
import { go } from "../lib/router";
import { type Source, take } from "../lib/source";
import { t } from "../lib/text";
import { Button, IconButton } from "./Button";
import { Icon } from "./Icon";
import { Looked } from "./Looked";
import { reason } from "./Notice";
import { Thumb } from "./Thumb";

export interface ViewerProps {
  files: ShareFile[];
  file: ShareFile;
  source: Source;
  hrefOf: (file: ShareFile) => string;
  onClose: () => void;
}

/** How far a finger goes for another file, in pixels. */
const SWIPE = 60;

export function Viewer({ files, file, source, hrefOf, onClose }: ViewerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const touched = useRef<number | undefined>(undefined);
  const [isLarge, enlarge] = useState(false);
  const [error, fail] = useState<unknown>();
  const at = files.findIndex(({ id }) => id === file.id);
  const show = (index: number) => {
    const next = files[index];
    if (!next) return;
    enlarge(false);
    fail(undefined);
    go(hrefOf(next), { replace: true });
  };
  const key = useRef<(event: KeyboardEvent) => void>(() => undefined);
  key.current = (event) => {
    if (event.target instanceof HTMLMediaElement || isLarge) return;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: files.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    show(to);
  };
  useEffect(() => {
    const back = document.activeElement as HTMLElement | null;
    // Wherever the focus is: the button that had it goes with the last file.
    const pressed = (event: KeyboardEvent) => key.current(event);
    document.addEventListener("keydown", pressed);
    dialog.current?.showModal();
    document.documentElement.classList.add("still");
    return () => {
      document.removeEventListener("keydown", pressed);
      document.documentElement.classList.remove("still");
      back?.focus();
    };
  }, []);
  const place = t("viewer.place", { folder: file.folder.split("/").at(-1) || t("share.files"), at: at + 1, count: files.length });
  return (
    <dialog ref={dialog} class="viewer" aria-label={file.name}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}>
      <header>
        <IconButton sign="close" label={t("close")} onClick={onClose} />
        <div class="what" aria-live="polite">
          <strong>{file.name}</strong>
          <span>
            {place} · {size(file.size)}
          </span>
        </div>
        {file.preview === "image" && (
          <IconButton sign={isLarge ? "minus" : "zoom"} label={isLarge ? t("viewer.fit") : t("viewer.zoom")} onClick={() => enlarge(!isLarge)} />
        )}
        <Button sign="download" onClick={() => void source.download(file.id).then(({ url }) => take(url), fail)}>
          {t("download")}
        </Button>
      </header>
      {error !== undefined && (
        <p class="viewer-error" role="alert">
          <Icon sign="alert" size={18} /> {reason(error)}
        </p>
      )}
      <div class={isLarge ? "stage large" : "stage"}
        onPointerDown={(event) => {
          touched.current = event.pointerType === "touch" && !isLarge ? event.clientX : undefined;
        }}
        onPointerUp={(event) => {
          const moved = event.clientX - (touched.current ?? event.clientX);
          if (Math.abs(moved) > SWIPE) show(at + (moved < 0 ? 1 : -1));
        }}>
        <Looked key={file.id} file={file} source={source} isLarge={isLarge} onEnlarge={() => enlarge(!isLarge)} />
      </div>
      {at > 0 && (
        <button type="button" class="turn back" aria-label={t("viewer.previous")} onClick={() => show(at - 1)}>
          <Icon sign="left" size={24} />
        </button>
      )}
      {at < files.length - 1 && (
        <button type="button" class="turn next" aria-label={t("viewer.next")} onClick={() => show(at + 1)}>
          <Icon sign="right" size={24} />
        </button>
      )}
      <Strip files={files} at={at} source={source} onShow={show} />
    </dialog>
  );
}

/** How many pictures stand beside the one that is shown. */
const BESIDE = 12;

function Strip({ files, at, source, onShow }: { files: ShareFile[]; at: number; source: Source; onShow: (index: number) => void }) {
  const strip = useRef<HTMLDivElement>(null);
  useEffect(() => {
    strip.current?.querySelector("[aria-current]")?.scrollIntoView({ inline: "center", block: "nearest" });
  }, [at]);
  const from = Math.max(0, at - BESIDE);
  return (
    <div class="viewer-strip" ref={strip}>
      {files.slice(from, at + BESIDE + 1).map((file, index) => (
        <button key={file.id} type="button" tabIndex={-1} aria-label={file.name} aria-current={from + index === at ? "true" : undefined}
          onClick={() => onShow(from + index)}>
          <Thumb id={file.id} from={source.small} name={file.name} preview={file.preview} />
        </button>
      ))}
    </div>
  );
}
