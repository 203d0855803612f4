// Downloading many files as one archive, which the worker makes while it is downloaded: `worker/sw.ts`.

import type { Download } from "../api/types";
import type { Entry, ToPage, ToWorker } from "../worker/messages";
import type { Source } from "./source";
import { take } from "./source";
import { Shared } from "./state";

export interface Wanted {
  id: string;
  name: string;
  folder: string;
  size: number;
  added_at: string;
}

export interface Transfer {
  state: "running" | "done" | "failed" | "stopped";
  sent: number;
  total: number;
  /** When it began, in milliseconds. */
  since: number;
  /** The file by which it failed. */
  file?: string;
}

export interface Running {
  transfer: Shared<Transfer>;
  stop: () => void;
}

/** What each file is called in the archive: no two the same, even where two versions are. */
export function entryNames(files: Pick<Wanted, "name" | "folder">[]): string[] {
  const taken = new Set<string>();
  return files.map(({ name, folder }) => {
    const path = folder ? `${folder}/${name}` : name;
    const [, stem = path, end = ""] = /^(.*?)(\.[^./]+)?$/s.exec(path) ?? [];
    let free = path;
    for (let n = 2; taken.has(free.toLowerCase()); n++) free = `${stem} (${n})${end}`;
    taken.add(free.toLowerCase());
    return free;
  });
}

/** A name that every system takes for a file. */
export function archiveName(title: string): string {
  const plain = title.replace(/[\p{Cc}\p{Cf}<>:"/\\|?*]+/gu, " ").replace(/\s+/g, " ").replace(/^[. ]+|[. ]+$/g, "");
  return `${plain.slice(0, 120) || "files"}.zip`;
}

type Policies = { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } };

/** The one script address that is made from a text, and it is a constant. */
function workerUrl(): string {
  const factory = (globalThis as { trustedTypes?: Policies }).trustedTypes;
  policy ??= factory?.createPolicy("gatehouse", {
    createScriptURL: (url: string) => {
      if (url !== "/sw.js") throw new TypeError("not a script of ours");
      return url;
    },
  });
  return policy?.createScriptURL("/sw.js") ?? "/sw.js";
}
let policy: { createScriptURL(url: string): string } | undefined;

async function worker(): Promise<ServiceWorker> {
  // A scope of its own: no other request goes through it.
  const registration = await navigator.serviceWorker.register(workerUrl(), { scope: "/zip/" });
  const ready = registration.active ?? registration.installing ?? registration.waiting;
  if (!ready) throw new Error("there is no worker");
  await new Promise<void>((resolve, reject) => {
    const look = () => {
      if (ready.state === "activated") resolve();
      else if (ready.state === "redundant") reject(new Error("the worker is redundant"));
    };
    ready.addEventListener("statechange", look);
    look();
  });
  return ready;
}

/** Firefox ends a worker that hears nothing for half a minute. */
const STAY = 10_000;

/** Begins to download; what comes of it, `transfer` says. */
export function downloadAll(source: Source, title: string, files: Wanted[]): Running {
  const total = files.reduce((sum, { size }) => sum + size, 0);
  const transfer = new Shared<Transfer>({ state: "running", sent: 0, total, since: Date.now() });
  const set = (change: Partial<Transfer>) => {
    if (transfer.get().state === "running") transfer.set({ ...transfer.get(), ...change });
  };
  const stop: { now: () => void } = { now: () => undefined };
  const fail = (file: string) => set({ state: "failed", file });
  void (async () => {
    try {
      const registered = "serviceWorker" in navigator ? await worker().catch(() => undefined) : undefined;
      if (registered) stop.now = stream(registered, source, title, files, set);
      else await oneByOne(source, files, set);
    } catch {
      fail("");
    }
  })();
  return {
    transfer,
    stop: () => {
      set({ state: "stopped" });
      stop.now();
    },
  };
}

function stream(active: ServiceWorker, source: Source, title: string, files: Wanted[], set: (change: Partial<Transfer>) => void): () => void {
  const names = entryNames(files);
  const entries: Entry[] = files.map(({ id, size, added_at }, index) => ({ id, size, date: added_at, name: names[index] ?? id }));
  const archive = crypto.randomUUID();
  const { port1: port, port2 } = new MessageChannel();
  const say = (message: ToWorker) => port.postMessage(message);
  const frame = document.createElement("iframe");
  frame.hidden = true;
  const stay = setInterval(() => active.postMessage({ say: "stay" } satisfies ToWorker), STAY);
  const end = (change: Partial<Transfer>) => {
    clearInterval(stay);
    set(change);
    // The frame is what the browser downloads from: it goes a while after.
    setTimeout(() => frame.remove(), 60_000);
  };
  port.onmessage = ({ data }: MessageEvent<ToPage>) => {
    if (data.say === "ready") {
      frame.src = `/zip/${archive}/${encodeURIComponent(archiveName(title))}`;
      document.body.append(frame);
    } else if (data.say === "need")
      source.downloads(data.ids).then(
        (items: Download[]) => say({ say: "take", urls: items.map(({ id, url }) => [id, url]) }),
        () => say({ say: "take", urls: [] }),
      );
    else if (data.say === "bytes") set({ sent: data.sent });
    else if (data.say === "done") end({ state: "done", sent: files.reduce((sum, { size }) => sum + size, 0) });
    else end({ state: "failed", file: data.name });
  };
  active.postMessage({ say: "make", archive, name: archiveName(title), entries } satisfies ToWorker, [port2]);
  return () => {
    say({ say: "stop" });
    clearInterval(stay);
  };
}

/** Without a worker, as in some private windows: one download after the other. */
async function oneByOne(source: Source, files: Wanted[], set: (change: Partial<Transfer>) => void): Promise<void> {
  let sent = 0;
  for (const { id, size } of files) {
    take((await source.download(id)).url);
    sent += size;
    set({ sent });
    await new Promise((resolve) => setTimeout(resolve, 1500));
  }
  set({ state: "done" });
}
