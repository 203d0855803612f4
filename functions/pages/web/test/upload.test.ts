import assert from "node:assert/strict";
import test from "node:test";
import type { AwaitedFile } from "../src/api/types";
import { Broken, Expired, type Put } from "../src/lib/put";
import { type Target, Uploads } from "../src/lib/upload";

Object.defineProperty(globalThis, "navigator", { value: { onLine: true }, configurable: true });

/** A bucket with an API before it: it knows which parts are there, and gives two addresses an answer. */
function portal(parts: number, put: (number: number, time: number) => Error | undefined = () => undefined) {
  const there = new Set<number>();
  const times = new Map<number, number>();
  const awaited = (): AwaitedFile => {
    const missing = Array.from({ length: parts }, (_, index) => index + 1).filter((number) => !there.has(number));
    const some = missing.slice(0, 2).map((number) => ({ number, url: String(number) }));
    const upload = missing.length ? { part_size: 4, missing: missing.length, expires_at: "", parts: some } : null;
    return { id: "fil_1", name: "film.mp4", upload };
  };
  const target: Target = {
    name: "shr_1",
    announce: () => Promise.resolve(awaited()),
    renew: () => Promise.resolve(awaited()),
    complete: () => Promise.resolve(),
  };
  const sender: Put = ({ url, bytes, onSent }) => {
    const number = Number(url);
    const time = (times.get(number) ?? 0) + 1;
    times.set(number, time);
    const error = put(number, time);
    if (error) return Promise.reject(error);
    onSent(bytes.size);
    there.add(number);
    return Promise.resolve();
  };
  return { target, sender, there, times };
}

async function until(uploads: Uploads, state: string): Promise<void> {
  for (let tried = 0; tried < 400; tried++) {
    if (uploads.items.get().every((item) => item.state === state)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.fail(`it is ${uploads.items.get().map((item) => item.state).join()}, not ${state}`);
}

const film = () => ({ file: new File(["0123456789012345678"], "film.mp4", { lastModified: 1 }), folder: "" });

test("a file goes in parts, as many answers as that takes", async () => {
  const { target, sender, there } = portal(5);
  const uploads = new Uploads(target, sender);
  uploads.add([film()]);
  await until(uploads, "sent");
  assert.equal(there.size, 5);
  assert.equal(uploads.items.get()[0]?.sent, 19);
});

test("a part is sent again after a break, and by a new address where the old has ended", async () => {
  const { target, sender, times } = portal(3, (number, time) => {
    if (number === 2 && time === 1) return new Broken();
    if (number === 3 && time === 1) return new Expired();
    return undefined;
  });
  const uploads = new Uploads(target, sender);
  uploads.add([film()]);
  await until(uploads, "sent");
  assert.deepEqual([times.get(1), times.get(2), times.get(3)], [1, 2, 2]);
});

test("what was paused goes on with what is missing", async () => {
  const { target, sender, times } = portal(4);
  let hold = true;
  const uploads = new Uploads(target, async (putting) => {
    if (putting.url === "3" && hold) await new Promise((_, reject) => putting.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    return sender(putting);
  });
  uploads.add([film()]);
  for (let tried = 0; (times.get(1) ?? 0) + (times.get(2) ?? 0) < 2 && tried < 200; tried++) await new Promise((resolve) => setTimeout(resolve, 5));
  const key = uploads.items.get()[0]?.key ?? "";
  await new Promise((resolve) => setTimeout(resolve, 20));
  uploads.pause(key);
  await until(uploads, "paused");
  hold = false;
  await new Promise((resolve) => setTimeout(resolve, 20));
  uploads.resume(key);
  await until(uploads, "sent");
  assert.deepEqual([times.get(1), times.get(2), times.get(3)], [1, 1, 1]);
});

test("a refusal is told and not repeated", async () => {
  const { target, sender } = portal(2);
  let asked = 0;
  const uploads = new Uploads({ ...target, announce: () => (asked++, Promise.reject(new Error("no"))) }, sender);
  uploads.add([film()]);
  await until(uploads, "failed");
  assert.equal(asked, 1);
});
