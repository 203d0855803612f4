// The content of a file that is looked at. What cannot run anything is shown; all else is to be downloaded.

import { useEffect, useRef, useState } from "preact/hooks";
import type { ShareFile } from "../api/types";
import { useLoad } from "../lib/load";
import { isHeldBack, whyHeldBack } from "../lib/scan";
import type { Source } from "../lib/source";
import { t } from "../lib/text";
import { Button } from "./Button";
import { reason } from "./Notice";

/** How much of a text is shown at first, in bytes. */
const MUCH = 64 * 1024;

export function Looked({ file, source, isLarge, onEnlarge }: { file: ShareFile; source: Source; isLarge: boolean; onEnlarge: () => void }) {
  const isShown = file.preview !== null && !isHeldBack(file);
  const preview = useLoad(isShown ? file.id : "", () => (isShown ? source.preview(file.id) : Promise.resolve(undefined)));
  if (!isShown) return <Unshown file={file} />;
  if (preview.error !== undefined)
    return (
      <div class="unshown">
        <p role="alert">{reason(preview.error)}</p>
        <Button onClick={preview.again}>{t("again")}</Button>
      </div>
    );
  const url = preview.data?.url;
  switch (file.preview) {
    case "image":
      return <Picture file={file} source={source} url={url} isLarge={isLarge} onEnlarge={onEnlarge} />;
    case "video":
    case "audio":
      return <Media kind={file.preview} url={url} name={file.name} onEnded={preview.again} />;
    case "pdf":
      return <Pdf url={url} file={file} source={source} />;
    default:
      return <Text url={url} size={file.size} />;
  }
}

function Unshown({ file }: { file: ShareFile }) {
  return (
    <div class="unshown">
      <p>{isHeldBack(file) ? whyHeldBack(file) : t("viewer.unshown")}</p>
    </div>
  );
}

function Picture({ file, source, url, isLarge, onEnlarge }: {
  file: ShareFile;
  source: Source;
  url: string | undefined;
  isLarge: boolean;
  onEnlarge: () => void;
}) {
  const [large, show] = useState<string>();
  const [isBroken, broken] = useState(false);
  useEffect(() => {
    if (file.thumbnail) void source.large.get(file.id).then((thumbnail) => show(thumbnail?.url), () => undefined);
  }, [file, source]);
  const shown = isLarge ? url : (large ?? url);
  if (isBroken) return <Unshown file={file} />;
  if (!shown) return <span class="ring" role="status" aria-label={t("loading")} />;
  return (
    // The button above does the same by keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions, jsx-a11y/click-events-have-key-events
    <img src={shown} alt={file.name} decoding="async" onClick={onEnlarge} draggable={false}
      onError={() => {
        if (large && !isLarge) show(undefined);
        else broken(true);
      }} />
  );
}

function Media({ kind, url, name, onEnded }: { kind: "video" | "audio"; url: string | undefined; name: string; onEnded: () => void }) {
  const player = useRef<HTMLVideoElement>(null);
  const place = useRef(0);
  const tries = useRef(0);
  const props = {
    controls: true,
    preload: "metadata" as const,
    src: url ?? "",
    "aria-label": name,
    onTimeUpdate: () => (place.current = player.current?.currentTime ?? 0),
    onLoadedMetadata: () => {
      if (player.current && place.current) player.current.currentTime = place.current;
    },
    // Addresses end after minutes, also in the middle of a film.
    onError: () => {
      if (url && tries.current++ < 3) onEnded();
    },
  };
  if (!url) return <span class="ring" role="status" aria-label={t("loading")} />;
  // Nobody has subtitles of what a customer's camera has filmed.
  // eslint-disable-next-line jsx-a11y/media-has-caption
  return kind === "video" ? <video ref={player} {...props} playsInline /> : <audio ref={player} {...props} />;
}

/** The browser's own viewer, where it has one that works in a page; else a button that opens it. */
function Pdf({ url, file, source }: { url: string | undefined; file: ShareFile; source: Source }) {
  const isInPage = navigator.pdfViewerEnabled && matchMedia("(pointer: fine)").matches;
  const picture = useLoad(file.id, async () => (file.thumbnail && !isInPage ? ((await source.large.get(file.id))?.url ?? null) : null));
  if (!url) return <span class="ring" role="status" aria-label={t("loading")} />;
  if (isInPage) return <iframe class="paper" src={url} title={file.name} />;
  return (
    <div class="unshown">
      {picture.data && <img class="page-one" src={picture.data} alt="" />}
      <a class="button primary" href={url} target="_blank" rel="noopener noreferrer">
        {t("viewer.open_pdf")}
      </a>
    </div>
  );
}

function Text({ url, size }: { url: string | undefined; size: number }) {
  const [much, more] = useState(MUCH);
  const text = useLoad(`${url ?? ""} ${much}`, async (signal) => {
    if (!url) return "";
    const response = await fetch(url, { headers: { range: `bytes=0-${much - 1}` }, signal });
    return new TextDecoder().decode(await response.arrayBuffer());
  });
  if (text.error !== undefined) return <p role="alert">{reason(text.error)}</p>;
  return (
    // What is longer than the window is scrolled by keyboard, too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div class="plain-text" tabIndex={0} role="document">
      <pre>{text.data}</pre>
      {size > much && <Button onClick={() => more(much * 8)}>{t("viewer.more_text")}</Button>}
    </div>
  );
}
