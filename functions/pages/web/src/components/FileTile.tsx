// A file as a picture with its name beneath.

import type { ShareFile } from "../api/types";
import { day, size } from "../lib/format";
import { scanned } from "../lib/scan";
import type { Source } from "../lib/source";
import { t } from "../lib/text";
import { Check } from "./Check";
import { Thumb } from "./Thumb";

/** What a person has done with it, else how large it is. */
export function about(file: ShareFile): string {
  if (file.downloaded_at) return t("file.downloaded", { day: day(file.downloaded_at) });
  return size(file.size);
}

export function FileTile({ file, source, href, isChosen, onChoose }: {
  file: ShareFile;
  source: Source;
  href: string;
  isChosen: boolean;
  onChoose: (range: boolean) => void;
}) {
  return (
    <li class={isChosen ? "tile chosen" : "tile"}>
      <a href={href} class="picture"
        onContextMenu={(event) => {
          // A long touch: there is nothing to point with.
          if (!("pointerType" in event) || event.pointerType !== "touch") return;
          event.preventDefault();
          onChoose(false);
        }}>
        <Thumb id={file.id} from={source.small} name={file.name} preview={file.preview} />
        <span class="name">
          {file.name}
          {file.version > 1 && <span class="version"> {t("file.v", { count: file.version })}</span>}
        </span>
      </a>
      <span class="meta">{scanned(file) ?? about(file)}</span>
      <Check label={t("choose", { name: file.name })} isOn={isChosen} onToggle={onChoose} />
    </li>
  );
}
