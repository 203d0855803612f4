// Files whose upload has begun, kept in the browser so that it goes on after a reload. A file that is too large to be copied is
// kept by its name: it is chosen once more.

export interface Kept {
  key: string;
  /** Whose uploads it belongs to: a share, or a report. */
  of: string;
  id: string;
  name: string;
  folder: string;
  size: number;
  lastModified: number;
  file?: File;
  /** When all of it was there, of what is kept beyond that: in milliseconds. */
  sentAt?: number;
}

/** The largest file that is copied, in bytes; and no more than a fifth of what the browser gives. */
const LARGEST = 2_000_000_000;

let opened: Promise<IDBDatabase> | undefined;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open("gatehouse-uploads", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: "key" });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(new Error(request.error?.message));
  });
  return opened;
}

async function store<T>(mode: IDBTransactionMode, act: (store: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const transaction = (await database()).transaction("files", mode);
  return new Promise((resolve, reject) => {
    const request = act(transaction.objectStore("files"));
    transaction.oncomplete = () => resolve(request.result);
    transaction.onerror = transaction.onabort = () => reject(new Error(transaction.error?.message));
  });
}

export async function keep(kept: Kept, file: File): Promise<void> {
  const { quota = 0, usage = 0 } = await navigator.storage.estimate();
  const isCopied = file.size <= Math.min(LARGEST, (quota - usage) / 5);
  await store("readwrite", (files) => files.put(isCopied ? { ...kept, file } : kept));
}

export async function forget(key: string): Promise<void> {
  await store("readwrite", (files) => files.delete(key));
}

export async function keptOf(of: string): Promise<Kept[]> {
  const all = (await store("readonly", (files) => files.getAll())) as Kept[];
  return all.filter((kept) => kept.of === of);
}

/** Nothing of one person is there for the next. */
export async function forgetAll(): Promise<void> {
  await store("readwrite", (files) => files.clear());
}
