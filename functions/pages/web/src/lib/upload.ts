// Sends files: announced to the API, put into the bucket in one piece or in parts, and said to be whole. It goes on after a
// break of the network, with new addresses where the old have ended, and after a reload with what is still missing.

import { isRefused, newKey, pause, Unreachable } from "../api/client";
import type { AwaitedFile } from "../api/types";
import { forget, keep, type Kept, keptOf } from "./kept";
import { Broken, Expired, put as putBytes, type Put } from "./put";
import { Shared } from "./state";

export type ItemState = "waiting" | "sending" | "checking" | "sent" | "paused" | "failed" | "missing";

export interface Item {
  key: string;
  name: string;
  folder: string;
  size: number;
  lastModified: number;
  state: ItemState;
  /** How much of it is in the bucket, in bytes. */
  sent: number;
  file?: File;
  /** Once it is announced. */
  id?: string;
  error?: unknown;
  sentAt?: string;
}

export interface Announced {
  name: string;
  folder: string;
  size: number;
  content_type: string | null;
}

/** Where files go. */
export interface Target {
  /** What its uploads are kept by. */
  name: string;
  announce: (file: Announced, key: string) => Promise<AwaitedFile>;
  /** What is missing, with new addresses. */
  renew?: (id: string) => Promise<AwaitedFile>;
  /** Says that all is there. */
  complete?: (id: string) => Promise<unknown>;
  withdraw?: (id: string) => Promise<unknown>;
  /** For how long what was sent is kept here as well, in milliseconds: it is part of something that is not sent yet. */
  keepsSent?: number;
}

const FILES_AT_ONCE = 2;
const PARTS_AT_ONCE = 3;
/** After so many breaks in a row it waits for somebody. */
const MOST_BREAKS = 5;

export class Uploads {
  readonly items = new Shared<Item[]>([]);
  readonly #target: Target;
  readonly #put: Put;
  readonly #running = new Map<string, AbortController>();

  constructor(target: Target, put: Put = putBytes) {
    this.#target = target;
    this.#put = put;
  }

  /** Takes files; what was begun before and is chosen once more goes on. */
  add(files: { file: File; folder: string }[]): void {
    const items = [...this.items.get()];
    for (const { file, folder } of files) {
      const missing = items.findIndex((item) => item.state === "missing" && isSame(item, file));
      const old = items[missing];
      if (old) items[missing] = { ...old, file, state: "waiting" };
      else items.push({ key: newKey(), name: file.name, folder, size: file.size, lastModified: file.lastModified, state: "waiting", sent: 0, file });
    }
    this.items.set(items);
    this.#next();
  }

  /** What an earlier visit has begun. */
  async restore(): Promise<void> {
    const kept = await keptOf(this.#target.name).catch(() => []);
    const known = new Set(this.items.get().map(({ key }) => key));
    const { keepsSent = 0, renew } = this.#target;
    for (const { key, sentAt } of kept) if (sentAt && Date.now() - sentAt > keepsSent) void forget(key).catch(() => undefined);
    const good = kept.filter(({ key, sentAt }) => !known.has(key) && (sentAt ? Date.now() - sentAt <= keepsSent : renew));
    const back = good.map(({ key, id, name, folder, size, lastModified, file, sentAt }): Item => {
      const about = { key, id, name, folder, size, lastModified, sent: 0 };
      if (sentAt && file) return { ...about, file, state: "sent", sent: size };
      return file ? { ...about, file, state: "waiting" } : { ...about, state: "missing" };
    });
    this.items.set([...this.items.get(), ...back]);
    this.#next();
  }

  pause(key: string): void {
    this.#set(key, { state: "paused" });
    this.#running.get(key)?.abort();
  }

  resume(key: string): void {
    this.#set(key, { state: "waiting", error: undefined });
    this.#next();
  }

  async remove(key: string): Promise<void> {
    this.#running.get(key)?.abort();
    const item = this.#get(key);
    this.items.set(this.items.get().filter((item) => item.key !== key));
    await forget(key).catch(() => undefined);
    if (item?.id && item.state !== "sent") await this.#target.withdraw?.(item.id).catch(() => undefined);
    this.#next();
  }

  /** Whether bytes move, or will. */
  isBusy(): boolean {
    return this.items.get().some(({ state }) => state === "waiting" || state === "sending" || state === "checking");
  }

  #get(key: string): Item | undefined {
    return this.items.get().find((item) => item.key === key);
  }

  #set(key: string, change: Partial<Item>): void {
    this.items.set(this.items.get().map((item) => (item.key === key ? { ...item, ...change } : item)));
  }

  #next(): void {
    for (const item of this.items.get()) {
      if (this.#running.size >= FILES_AT_ONCE) return;
      if (item.state !== "waiting" || this.#running.has(item.key) || !item.file) continue;
      const stop = new AbortController();
      this.#running.set(item.key, stop);
      void this.#send(item.key, item.file, stop.signal)
        .catch((error: unknown) => {
          if (!stop.signal.aborted) this.#set(item.key, { state: error instanceof Broken ? "paused" : "failed", error });
        })
        .finally(() => {
          this.#running.delete(item.key);
          this.#next();
        });
    }
  }

  async #send(key: string, file: File, signal: AbortSignal): Promise<void> {
    this.#set(key, { state: "sending" });
    const item = this.#get(key);
    if (!item) return;
    let awaited: AwaitedFile = item.id === undefined ? await this.#announce(item, file) : await this.#renew(item.id);
    const { id } = awaited;
    this.#set(key, { id });
    for (let refused = 0; ; refused++) {
      while (awaited.upload) {
        await this.#fill(key, file, awaited, signal);
        awaited = "parts" in awaited.upload && awaited.upload.missing > awaited.upload.parts.length ? await this.#renew(id) : { ...awaited, upload: null };
      }
      signal.throwIfAborted();
      this.#set(key, { state: "checking", sent: file.size });
      try {
        await this.#target.complete?.(id);
        break;
      } catch (error) {
        // Not all has arrived: what is missing is asked for and sent.
        if (!isRefused(error, "upload_incomplete") || refused >= 2) throw error;
        this.#set(key, { state: "sending" });
        awaited = await this.#renew(id);
      }
    }
    const { name, folder, size, lastModified } = item;
    const ending = this.#target.keepsSent
      ? keep({ key, of: this.#target.name, id, name, folder, size, lastModified, sentAt: Date.now() }, file)
      : forget(key);
    await ending.catch(() => undefined);
    this.#set(key, { state: "sent", sentAt: new Date().toISOString() });
  }

  async #announce({ key, name, folder, size, lastModified }: Item, file: File): Promise<AwaitedFile> {
    const announced = await this.#target.announce({ name, folder, size, content_type: file.type || null }, key);
    const kept: Kept = { key, of: this.#target.name, id: announced.id, name, folder, size, lastModified };
    if (this.#target.renew) await keep(kept, file).catch(() => undefined);
    return announced;
  }

  async #renew(id: string): Promise<AwaitedFile> {
    if (!this.#target.renew) throw new Expired();
    return this.#target.renew(id);
  }

  /** Sends what an answer has addresses for. */
  async #fill(key: string, file: File, awaited: AwaitedFile, signal: AbortSignal): Promise<void> {
    const { upload } = awaited;
    if (!upload) return;
    if (!("parts" in upload)) {
      const whole = (sent: number) => this.#set(key, { sent });
      const renewed = async () => {
        const again = (await this.#renew(awaited.id)).upload;
        return again && !("parts" in again) ? again : undefined;
      };
      await this.#persist({ url: upload.url, headers: upload.headers }, file, whole, renewed, signal);
      return;
    }
    const { part_size, parts, missing } = upload;
    const moving = new Map<number, number>();
    let there = Math.max(0, file.size - missing * part_size);
    const tell = () => this.#set(key, { sent: Math.min(file.size, there + [...moving.values()].reduce((sum, sent) => sum + sent, 0)) });
    const queue = [...parts];
    const renewed = (number: number) => async () => {
      const again = (await this.#renew(awaited.id)).upload;
      const part = again && "parts" in again ? again.parts.find((part) => part.number === number) : undefined;
      return part && { url: part.url };
    };
    const lane = async () => {
      for (let part = queue.shift(); part; part = queue.shift()) {
        const { number, url } = part;
        const bytes = file.slice((number - 1) * part_size, number * part_size);
        const onSent = (sent: number) => {
          moving.set(number, sent);
          tell();
        };
        await this.#persist({ url }, bytes, onSent, renewed(number), signal);
        moving.delete(number);
        there += bytes.size;
        tell();
      }
    };
    await Promise.all(Array.from({ length: PARTS_AT_ONCE }, lane));
  }

  /** Puts until it is there: after a break, and by another address where this one has ended. */
  async #persist(
    first: { url: string; headers?: Record<string, string> },
    bytes: Blob,
    onSent: (sent: number) => void,
    renewed: () => Promise<{ url: string; headers?: Record<string, string> } | undefined>,
    signal: AbortSignal,
  ): Promise<void> {
    let to: typeof first | undefined = first;
    for (let breaks = 0; to; ) {
      try {
        await this.#put({ ...to, bytes, onSent, signal });
        return;
      } catch (error) {
        if (signal.aborted || !(error instanceof Broken || error instanceof Expired || error instanceof Unreachable)) throw error;
        onSent(0);
        if (++breaks >= MOST_BREAKS && navigator.onLine) throw new Broken();
        if (error instanceof Broken) await settled(breaks, signal);
        else to = await renewed();
      }
    }
  }
}

/** Waits for the network, and a little longer each time. */
async function settled(breaks: number, signal: AbortSignal): Promise<void> {
  if (!navigator.onLine)
    await new Promise<void>((resolve, reject) => {
      addEventListener("online", () => resolve(), { once: true });
      signal.addEventListener("abort", () => reject(new DOMException("", "AbortError")), { once: true });
    });
  await pause(Math.min(30_000, 1000 * 2 ** (breaks - 1)) * (0.75 + Math.random() / 2), signal);
}

function isSame(item: Item, file: File): boolean {
  return item.name === file.name && item.size === file.size && item.lastModified === file.lastModified;
}
