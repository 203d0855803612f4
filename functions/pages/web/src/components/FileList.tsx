// Files line by line: for who looks for a name rather than for a picture.

import { useState } from "preact/hooks";
import type { ShareFile } from "../api/types";
import { day, size } from "../lib/format";
import { isHeldBack, scanned } from "../lib/scan";
import { type Source, take } from "../lib/source";
import { t } from "../lib/text";
import { IconButton } from "./Button";
import { Check } from "./Check";
import { Failure } from "./Notice";
import { Thumb } from "./Thumb";

export function FileList({ files, source, hrefOf, chosen, onChoose, onChooseAll, isVisitor }: {
  files: ShareFile[];
  source: Source;
  hrefOf: (file: ShareFile) => string;
  chosen: ReadonlySet<string>;
  onChoose: (file: ShareFile, range: boolean) => void;
  onChooseAll: () => void;
  /** Whether nobody has signed in, of whom it could be told what was seen. */
  isVisitor: boolean;
}) {
  const [error, fail] = useState<unknown>();
  const all = files.length > 0 && files.every(({ id }) => chosen.has(id));
  const download = (file: ShareFile) => void source.download(file.id).then(({ url }) => take(url), fail);
  return (
    <>
      {error !== undefined && <Failure error={error} />}
      <table class={isVisitor ? "files visitor" : "files"}>
        <thead>
          <tr>
            <th>
              <Check label={t("choose.all")} isOn={all} isSome={chosen.size > 0} onToggle={onChooseAll} />
            </th>
            <th colSpan={2}>{t("file.name")}</th>
            <th class="wide-only">{t("file.folder")}</th>
            <th class="wide-only seen-at">
              <span class="unseen">{t("file.seen")}</span>
            </th>
            <th class="number">{t("file.size")}</th>
            <th>
              <span class="unseen">{t("download")}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {files.map((file) => (
            <tr key={file.id} class={chosen.has(file.id) ? "chosen" : undefined}>
              <td>
                <Check label={t("choose", { name: file.name })} isOn={chosen.has(file.id)} onToggle={(range) => onChoose(file, range)} />
              </td>
              <td class="thumb-cell" aria-hidden="true">
                <Thumb id={file.id} from={source.small} name={file.name} preview={file.preview} />
              </td>
              <td class="name">
                <a href={hrefOf(file)}>{file.name}</a>
                {file.version > 1 && <span class="pill">{t("file.version", { count: file.version })}</span>}
                {scanned(file) && <span class={file.scan === "found" ? "pill danger" : "pill"}>{scanned(file)}</span>}
              </td>
              <td class="wide-only">{file.folder.split("/").at(-1)}</td>
              <td class="wide-only seen-at">
                {file.downloaded_at ? t("file.downloaded", { day: day(file.downloaded_at) }) : file.viewed_at ? t("file.viewed", { day: day(file.viewed_at) }) : ""}
              </td>
              <td class="number">{size(file.size)}</td>
              <td>
                {!isHeldBack(file) && <IconButton sign="download" label={t("download.file", { name: file.name })} size={18} onClick={() => download(file)} />}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
