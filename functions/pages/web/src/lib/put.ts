// Sends bytes to the bucket. `fetch` does not tell how far it is; XMLHttpRequest does.

/** The address no longer holds, or the bucket wants another. */
export class Expired extends Error {}
/** The network broke. */
export class Broken extends Error {}
/** The bucket has said no, which another try would not change. */
export class NotTaken extends Error {}

export interface Putting {
  url: string;
  headers?: Record<string, string>;
  bytes: Blob;
  onSent: (bytes: number) => void;
  signal: AbortSignal;
}

export type Put = (putting: Putting) => Promise<void>;

export const put: Put = ({ url, headers = {}, bytes, onSent, signal }) =>
  new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    const end = (error?: Error) => {
      signal.removeEventListener("abort", stop);
      if (error) reject(error);
      else resolve();
    };
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) if (name !== "content-length") request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onSent(loaded);
    request.onload = () => {
      if (request.status < 300) end();
      // What is there already need not be sent again.
      else if (request.status === 412) end();
      else if (request.status === 403) end(new Expired());
      else if (request.status >= 500) end(new Broken());
      else end(new NotTaken(String(request.status)));
    };
    request.onerror = () => end(new Broken());
    request.onabort = () => end(new DOMException("", "AbortError"));
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    else request.send(bytes);
  });
