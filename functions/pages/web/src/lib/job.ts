// The files of a job, for the components that show those of a share.

import { ask } from "../api/client";
import type { JobFileView, ShareFile, Thumbnail } from "../api/types";
import { Batch } from "./batch";
import type { Source } from "./source";
import { Uploads } from "./upload";

/** Of so many files one request asks for the pictures. */
const MOST = 100;

export function ofJob(id: string): Source {
  const preview = (fid: string) => ask("POST /v1/jobs/{id}/files/{fid}/preview", { at: { id, fid } });
  const pictures = (size: "small" | "large") =>
    new Batch<string, Thumbnail>(MOST, async (files) => {
      const { items } = await ask("POST /v1/jobs/{id}/thumbnails", { at: { id }, body: { files, size } });
      return new Map(items.map((item) => [item.id, item]));
    });
  const download = async (fid: string) => ({ ...(await ask("POST /v1/jobs/{id}/files/{fid}/download", { at: { id, fid } })), id: fid, folder: "" });
  return { preview, download, downloads: (files) => Promise.all(files.map(download)), small: pictures("small"), large: pictures("large") };
}

export function asShareFile(file: JobFileView): ShareFile {
  const none = { folder: "", replaces: null, sha256: null };
  return { ...none, ...file, by: file.by.name ?? "", state: "stored", version: 1 };
}

export function uploadsToJob(id: string): Uploads {
  return new Uploads({
    name: id,
    announce: async ({ name, size, content_type }, key) => {
      const body = { files: [{ name, size, content_type }] };
      const { uploads } = await ask("POST /v1/jobs/{id}/files", { at: { id }, body, key });
      const [first] = uploads;
      if (!first) throw new Error("nothing was announced");
      return first;
    },
  });
}
