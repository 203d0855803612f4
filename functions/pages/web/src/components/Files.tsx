// The files of a share, as pictures or line by line, folder by folder; some of them chosen, one of them looked at.
// Folder and file stand in the address: going back closes what was opened.

import { useRef, useState } from "preact/hooks";
import type { ShareFile } from "../api/types";
import { filesIn, foldersIn, shown } from "../lib/folders";
import { size } from "../lib/format";
import { go, place } from "../lib/router";
import type { Source } from "../lib/source";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import { Button } from "./Button";
import { DownloadAll } from "./DownloadAll";
import { FileList } from "./FileList";
import { FileTile } from "./FileTile";
import { Icon } from "./Icon";
import { Segment } from "./Segment";
import { Tabs } from "./Tabs";
import { Viewer } from "./Viewer";

type View = "tiles" | "list";
const KEPT_VIEW = "gatehouse-view";
/** How many pictures are drawn as one part, which the browser leaves out while it is out of sight. */
const PART = 60;

export function Files({ files: all, source, title, name, isVisitor = false }: {
  files: ShareFile[];
  source: Source;
  title: string;
  name: string;
  isVisitor?: boolean;
}) {
  const { path, search } = useShared(place);
  const query = new URLSearchParams(search);
  const files = shown(all);
  const folder = query.get("folder") ?? "";
  const here = filesIn(files, folder);
  const [view, setView] = useState<View>(localStorage.getItem(KEPT_VIEW) === "list" ? "list" : "tiles");
  const { chosen, choose, chooseAll, clear } = useChosen(here);
  const to = (change: Record<string, string>) => {
    const next = new URLSearchParams({ ...(folder && { folder }), ...change });
    for (const [key, value] of [...next]) if (!value) next.delete(key);
    return `${path}${next.size ? `?${next}` : ""}`;
  };
  const hrefOf = (file: ShareFile) => to({ file: file.id });
  const top = folder.split("/")[0] ?? "";
  const tabs = foldersIn(files, "").map(({ path, name, count }) => ({ to: to({ folder: path }), label: name, count, isCurrent: path === top }));
  const below = folder ? foldersIn(files, folder) : [];
  const some = here.filter(({ id }) => chosen.has(id));
  const looked = here.find(({ id }) => id === query.get("file")) ?? files.find(({ id }) => id === query.get("file"));
  return (
    <section class={some.length ? "files-section choosing" : "files-section"} aria-label={t("share.files")}>
      <div class="tabs-line">
        <Tabs label={t("share.folders")} tabs={[{ to: to({ folder: "" }), label: t("filter.all"), count: files.length, isCurrent: !folder }, ...tabs]} />
        <Segment<View> label={t("view")} value={view}
          options={[
            { value: "tiles", label: <Icon sign="grid" size={18} />, name: t("view.tiles") },
            { value: "list", label: <Icon sign="list" size={18} />, name: t("view.list") },
          ]}
          onValue={(view) => {
            localStorage.setItem(KEPT_VIEW, view);
            setView(view);
          }} />
      </div>
      {folder.includes("/") && <Crumb folder={folder} to={(folder) => to({ folder })} />}
      {below.length > 0 && (
        <ul class="folders">
          {below.map(({ path, name, count }) => (
            <li key={path}>
              <a href={to({ folder: path })}>
                <Icon sign="folder" size={18} /> {name} <span>{count}</span>
              </a>
            </li>
          ))}
        </ul>
      )}
      {view === "list" ? (
        <FileList files={here} source={source} hrefOf={hrefOf} chosen={chosen} onChoose={choose} onChooseAll={chooseAll} isVisitor={isVisitor} />
      ) : (
        parts(here).map((part, index) => (
          <ul class="tiles" key={index} style={{ "--tiles": String(part.length) }}>
            {part.map((file) => (
              <FileTile key={file.id} file={file} source={source} href={hrefOf(file)} isChosen={chosen.has(file.id)} onChoose={(range) => choose(file, range)} />
            ))}
          </ul>
        ))
      )}
      {some.length > 0 && (
        <div class="selection" role="region" aria-label={t("chosen.label")}>
          <span>{t("chosen", { count: some.length, size: size(some.reduce((sum, file) => sum + file.size, 0)) })}</span>
          <Button look="quiet" small onClick={clear}>
            {t("chosen.clear")}
          </Button>
          <DownloadAll files={some} source={source} title={title} name={`${name}:chosen`} label={t("download.chosen", { count: some.length })} />
        </div>
      )}
      {looked && <Viewer files={here.includes(looked) ? here : files} file={looked} source={source} hrefOf={hrefOf} onClose={() => go(to({ file: "" }), { replace: true })} />}
    </section>
  );
}

function parts(files: ShareFile[]): ShareFile[][] {
  return Array.from({ length: Math.ceil(files.length / PART) }, (_, index) => files.slice(index * PART, (index + 1) * PART));
}

function Crumb({ folder, to }: { folder: string; to: (folder: string) => string }) {
  const names = folder.split("/");
  return (
    <nav class="crumb" aria-label={t("share.folder")}>
      {names.map((name, index) => {
        const isLast = index === names.length - 1;
        return (
          <span key={index}>
            {isLast ? <span aria-current="page">{name}</span> : <a href={to(names.slice(0, index + 1).join("/"))}>{name}</a>}
            {!isLast && <Icon sign="right" size={14} />}
          </span>
        );
      })}
    </nav>
  );
}

/** Which are chosen: one by one, from one to another, or all. */
function useChosen(files: ShareFile[]) {
  const [chosen, set] = useState<ReadonlySet<string>>(new Set());
  const last = useRef<string | undefined>(undefined);
  const choose = (file: ShareFile, range: boolean) => {
    const next = new Set(chosen);
    const from = files.findIndex(({ id }) => id === last.current);
    const at = files.findIndex(({ id }) => id === file.id);
    const isOn = !chosen.has(file.id);
    const between = range && from >= 0 ? files.slice(Math.min(from, at), Math.max(from, at) + 1) : [file];
    for (const { id } of between) {
      if (isOn) next.add(id);
      else next.delete(id);
    }
    last.current = file.id;
    set(next);
  };
  const clear = () => set(new Set());
  const chooseAll = () => set(files.every(({ id }) => chosen.has(id)) ? new Set() : new Set(files.map(({ id }) => id)));
  return { chosen, choose, chooseAll, clear };
}
