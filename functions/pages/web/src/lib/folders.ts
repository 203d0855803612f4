// The folders of a share: those that its files name.

import type { ShareFile } from "../api/types";

/** A folder beneath the one that is shown, and how many files are in it and below. */
export interface Below {
  path: string;
  name: string;
  count: number;
}

/** The folders right beneath one (`""`: at the top). */
export function foldersIn(files: Pick<ShareFile, "folder">[], folder: string): Below[] {
  const start = folder ? `${folder}/` : "";
  const counts = new Map<string, number>();
  for (const file of files) {
    if (!file.folder.startsWith(start) || file.folder.length <= start.length) continue;
    const name = file.folder.slice(start.length).split("/")[0] ?? "";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return [...counts].map(([name, count]) => ({ path: start + name, name, count }));
}

/** The files of a folder and of all below it. */
export function filesIn<F extends Pick<ShareFile, "folder">>(files: F[], folder: string): F[] {
  return folder ? files.filter((file) => file.folder === folder || file.folder.startsWith(`${folder}/`)) : files;
}

/** What there is to see, by folder and name: what has arrived, each file in its newest version. */
export function shown<F extends Pick<ShareFile, "id" | "replaces" | "state" | "folder" | "name">>(files: F[]): F[] {
  const stored = files.filter(({ state }) => state === "stored");
  const replaced = new Set(stored.map(({ replaces }) => replaces));
  const order = new Intl.Collator(undefined, { numeric: true });
  const compared = (one: F, other: F) => order.compare(one.folder, other.folder) || order.compare(one.name, other.name);
  return stored.filter(({ id }) => !replaced.has(id)).sort(compared);
}
