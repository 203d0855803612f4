// Where the files of a share come from: the session of whoever has signed in, or the link of a mail.

import { ask } from "../api/client";
import type { Download, Thumbnail } from "../api/types";
import { Batch } from "./batch";

export interface Source {
  preview(file: string): Promise<{ url: string; content_type: string }>;
  download(file: string): Promise<Download>;
  /** Of many, as far as one answer goes. */
  downloads(files: string[]): Promise<Download[]>;
  small: Batch<string, Thumbnail>;
  large: Batch<string, Thumbnail>;
}

type Size = "small" | "large";

const MOST = 100;

function byId(items: Thumbnail[]): Map<string, Thumbnail> {
  return new Map(items.map((item) => [item.id, item]));
}

export function ofShare(id: string): Source {
  const thumbnails = (size: Size) => async (files: string[]) =>
    byId((await ask("POST /v1/shares/{id}/thumbnails", { at: { id }, body: { files, size } })).items);
  return {
    preview: (fid) => ask("POST /v1/shares/{id}/files/{fid}/preview", { at: { id, fid } }),
    download: (fid) => ask("POST /v1/shares/{id}/files/{fid}/download", { at: { id, fid } }),
    downloads: async (files) => (await ask("POST /v1/shares/{id}/downloads", { at: { id }, body: { files } })).items,
    small: new Batch(MOST, thumbnails("small")),
    large: new Batch(MOST, thumbnails("large")),
  };
}

export function ofLink(token: string): Source {
  const isPublic = true;
  const thumbnails = (size: Size) => async (files: string[]) =>
    byId((await ask("POST /v1/links/thumbnails", { body: { token, files, size }, isPublic })).items);
  return {
    preview: (file_id) => ask("POST /v1/links/preview", { body: { token, file_id }, isPublic }),
    download: (file_id) => ask("POST /v1/links/download", { body: { token, file_id }, isPublic }),
    downloads: async (files) => (await ask("POST /v1/links/downloads", { body: { token, files }, isPublic })).items,
    small: new Batch(MOST, thumbnails("small")),
    large: new Batch(MOST, thumbnails("large")),
  };
}

/** Those of many shares, by `share/file`. */
export const acrossShares = new Batch<string, Thumbnail>(150, async (keys) => {
  const items = keys.map((key) => {
    const [share_id = "", file_id = ""] = key.split("/");
    return { share_id, file_id };
  });
  const answer = await ask("POST /v1/thumbnails", { body: { items, size: "small" } });
  return new Map(answer.items.map((item) => [`${item.share_id}/${item.id}`, item]));
});

/** Has the browser take a file down. Its address says that it is to be kept, so the page stays. */
export function take(url: string): void {
  const link = document.createElement("a");
  link.href = url;
  link.download = "";
  link.dataset.plain = "1";
  link.rel = "noreferrer";
  link.click();
}
