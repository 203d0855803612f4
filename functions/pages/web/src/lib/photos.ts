// The photos of a report that is being written. They are sent while one writes, and are there again after a reload.

import { ask } from "../api/client";
import { Uploads } from "./upload";

const all = new Map<string, Uploads>();

/** For how long the API keeps a photo without its report, with an hour to spare. */
const KEPT_MS = 23 * 3_600_000;

export function photosOf(person: string): Uploads {
  const known = all.get(person);
  if (known) return known;
  const uploads = new Uploads({
    name: `report:${person}`,
    keepsSent: KEPT_MS,
    announce: async ({ name, size, content_type }, key) => {
      const { uploads } = await ask("POST /v1/problem-photos", { body: { files: [{ name, size, content_type }] }, key });
      const [first] = uploads;
      if (!first) throw new Error("nothing was announced");
      return first;
    },
  });
  all.set(person, uploads);
  void uploads.restore();
  return uploads;
}

/** They belong to a report now. */
export function dropPhotos(person: string): void {
  const uploads = all.get(person);
  for (const { key } of uploads?.items.get() ?? []) void uploads?.remove(key);
  all.delete(person);
}
