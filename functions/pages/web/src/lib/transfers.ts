// The downloads that are under way: they go on while one goes from page to page, and leaving asks once.

import { Shared } from "./state";
import type { Source } from "./source";
import { downloadAll, type Running, type Wanted } from "./zip";

const running = new Map<string, Shared<Running | undefined>>();

/** The download of that name, if there is one: a share's, say. */
export function transferOf(name: string): Shared<Running | undefined> {
  const known = running.get(name) ?? new Shared<Running | undefined>(undefined);
  running.set(name, known);
  return known;
}

const stay = (event: BeforeUnloadEvent) => event.preventDefault();

export function begin(name: string, source: Source, title: string, files: Wanted[]): void {
  const shared = transferOf(name);
  const old = shared.get();
  if (old?.transfer.get().state === "running") return;
  const now = downloadAll(source, title, files);
  shared.set(now);
  addEventListener("beforeunload", stay);
  now.transfer.subscribe(({ state }) => {
    if (state !== "running" && ![...running.values()].some((one) => one.get()?.transfer.get().state === "running"))
      removeEventListener("beforeunload", stay);
  });
}

export function clear(name: string): void {
  transferOf(name).set(undefined);
}
