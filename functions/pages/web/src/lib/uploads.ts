// The uploads of each share. They go on while one goes from page to page; leaving the portal asks once.

import { ask } from "../api/client";
import { Uploads } from "./upload";

const all = new Map<string, Uploads>();

const stay = (event: BeforeUnloadEvent) => event.preventDefault();

function watch(uploads: Uploads): void {
  uploads.items.subscribe(() => {
    if ([...all.values()].some((one) => one.isBusy())) addEventListener("beforeunload", stay);
    else removeEventListener("beforeunload", stay);
  });
}

export function uploadsTo(id: string): Uploads {
  const known = all.get(id);
  if (known) return known;
  const uploads = new Uploads({
    name: id,
    announce: (file, key) => ask("POST /v1/shares/{id}/files", { at: { id }, body: file, key }),
    renew: (fid) => ask("GET /v1/shares/{id}/files/{fid}/upload", { at: { id, fid } }),
    complete: (fid) => ask("POST /v1/shares/{id}/files/{fid}/complete", { at: { id, fid }, body: {} }),
    withdraw: (fid) => ask("DELETE /v1/shares/{id}/files/{fid}", { at: { id, fid } }),
  });
  all.set(id, uploads);
  watch(uploads);
  // Another tab may be at it: then this one goes on when that one is closed.
  void navigator.locks.request(`gatehouse-uploads-${id}`, async () => {
    await uploads.restore();
    // Held as long as this page is open.
    await new Promise(() => undefined);
  });
  return uploads;
}
