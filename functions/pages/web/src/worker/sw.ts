// Makes an archive while it is downloaded: file after file flows from the bucket through here into the browser's download.
// It asks the page for addresses just before it needs them, for they end after minutes. Nothing is kept.

import { makeZip, predictLength } from "client-zip";
import type { Entry, ToPage, ToWorker } from "./messages";

interface ExtendableEvent extends Event {
  waitUntil(promise: Promise<unknown>): void;
}
interface FetchEvent extends ExtendableEvent {
  request: Request;
  respondWith(response: Response | Promise<Response>): void;
}
interface MessageEventOfPage extends ExtendableEvent {
  data: ToWorker;
  ports: MessagePort[];
}
interface Worker {
  addEventListener(name: "fetch", listener: (event: FetchEvent) => void): void;
  addEventListener(name: "message", listener: (event: MessageEventOfPage) => void): void;
  addEventListener(name: "install" | "activate", listener: (event: ExtendableEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
}

/** How many addresses are asked for at once. */
const AHEAD = 10;

interface Archive {
  name: string;
  entries: Entry[];
  port: MessagePort;
  urls: Map<string, string>;
  /** Who waits for addresses. */
  come: (() => void) | undefined;
  stop: AbortController;
}

const archives = new Map<string, Archive>();
const worker = self as unknown as Worker;

worker.addEventListener("install", (event) => event.waitUntil(worker.skipWaiting()));
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));

worker.addEventListener("message", (event) => {
  const [port] = event.ports;
  if (event.data.say !== "make" || !port) return;
  const { archive: id, name, entries } = event.data;
  const archive: Archive = { name, entries, port, urls: new Map(), come: undefined, stop: new AbortController() };
  archives.set(id, archive);
  port.onmessage = ({ data }: MessageEvent<ToWorker>) => {
    if (data.say === "take") {
      for (const [file, url] of data.urls) archive.urls.set(file, url);
      archive.come?.();
    } else if (data.say === "stop") archive.stop.abort();
  };
  say(archive, { say: "ready" });
});

worker.addEventListener("fetch", (event) => {
  const [, zip, id = ""] = new URL(event.request.url).pathname.split("/");
  const archive = archives.get(id);
  if (zip !== "zip" || !archive) return;
  // It is taken once.
  archives.delete(id);
  event.respondWith(respond(archive));
});

function say(archive: Archive, message: ToPage): void {
  archive.port.postMessage(message);
}

function respond(archive: Archive): Response {
  const metadata = archive.entries.map(({ name, size }) => ({ name, size }));
  const stream = makeZip(contents(archive), { metadata }) as unknown as ReadableStream<Uint8Array<ArrayBuffer>>;
  const headers = new Headers({
    "content-type": "application/zip",
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(archive.name)}`,
    "content-length": String(predictLength(metadata)),
  });
  return new Response(watched(archive, stream), { headers });
}

/** The files, each with an address that still holds. */
async function* contents(archive: Archive) {
  for (const [index, entry] of archive.entries.entries()) {
    try {
      const input = await fetched(archive, index);
      yield { name: entry.name, size: entry.size, lastModified: new Date(entry.date), input };
    } catch (error) {
      if (!archive.stop.signal.aborted) say(archive, { say: "failed", name: entry.name });
      throw error;
    }
  }
}

async function fetched(archive: Archive, index: number): Promise<Response> {
  const id = archive.entries[index]?.id ?? "";
  for (let tried = 0; ; tried++) {
    const url = archive.urls.get(id) ?? (await addressed(archive, index));
    const response = await fetch(url, { signal: archive.stop.signal });
    if (response.ok) return response;
    archive.urls.delete(id);
    if (tried > 0) throw new Error(String(response.status));
  }
}

/** Asks the page for this file's address and those of the next. */
async function addressed(archive: Archive, index: number): Promise<string> {
  const ids = archive.entries.slice(index, index + AHEAD).map(({ id }) => id);
  const come = new Promise<void>((resolve, reject) => {
    archive.come = resolve;
    archive.stop.signal.addEventListener("abort", () => reject(new Error("stopped")));
  });
  say(archive, { say: "need", ids });
  await come;
  const url = archive.urls.get(ids[0] ?? "");
  if (!url) throw new Error("there is no such file any more");
  return url;
}

/** Tells the page how far it is; a file that fails ends the download as failed, never as a shorter archive. */
function watched(archive: Archive, stream: ReadableStream<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader();
  let sent = 0;
  let told = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        archive.stop.signal.throwIfAborted();
        const { done, value } = await reader.read();
        if (done) {
          say(archive, { say: "done" });
          controller.close();
          return;
        }
        sent += value.byteLength;
        if (sent - told > 250_000) {
          told = sent;
          say(archive, { say: "bytes", sent });
        }
        controller.enqueue(value);
      },
      async cancel(reason) {
        archive.stop.abort();
        say(archive, { say: "failed", name: "" });
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 1 },
  );
}
