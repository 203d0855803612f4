// Where files are dropped, or chosen: one, several, or a whole folder.

import { useRef, useState } from "preact/hooks";
import { chosen, type Dropped, dropped } from "../lib/dropped";
import { pieces, t } from "../lib/text";
import { Icon } from "./Icon";

export function DropZone({ onFiles, title, imagesOnly = false }: { onFiles: (files: Dropped[]) => void; title: string; imagesOnly?: boolean }) {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const [isOver, over] = useState(false);
  const take = (input: HTMLInputElement) => {
    onFiles(chosen(input));
    input.value = "";
  };
  const choose = (
    <button type="button" class="link" onClick={() => files.current?.click()}>
      {t("drop.choose")}
    </button>
  );
  const chooseFolder = (
    <button type="button" class="link" onClick={() => folder.current?.click()}>
      {t("drop.folder")}
    </button>
  );
  return (
    // By keyboard the buttons within do the same.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div class={isOver ? "drop-zone over" : "drop-zone"}
      onDragOver={(event) => {
        event.preventDefault();
        over(true);
      }}
      onDragLeave={() => over(false)}
      onDrop={(event) => {
        event.preventDefault();
        over(false);
        if (event.dataTransfer) void dropped(event.dataTransfer).then(onFiles);
      }}>
      <Icon sign="upload" size={22} />
      <strong>{title}</strong>
      <p>{pieces("drop.or", { files: choose, folder: chooseFolder })}</p>
      <input ref={files} type="file" multiple hidden accept={imagesOnly ? "image/*" : undefined} aria-label={t("drop.choose")}
        onChange={(event) => take(event.currentTarget)} />
      <input ref={folder} type="file" hidden {...{ webkitdirectory: true }} aria-label={t("drop.folder")} onChange={(event) => take(event.currentTarget)} />
    </div>
  );
}
