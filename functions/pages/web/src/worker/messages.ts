// What the page and the worker say to each other about an archive.

export interface Entry {
  id: string;
  /** With its folder, as it is called in the archive. */
  name: string;
  size: number;
  date: string;
}

/** The page to the worker: the first with the port on which all others follow. */
export type ToWorker =
  | { say: "make"; archive: string; name: string; entries: Entry[] }
  | { say: "take"; urls: [id: string, url: string][] }
  | { say: "stop" }
  | { say: "stay" };

/** The worker to the page. */
export type ToPage =
  | { say: "ready" }
  | { say: "need"; ids: string[] }
  | { say: "bytes"; sent: number }
  | { say: "done" }
  | { say: "failed"; name: string };
