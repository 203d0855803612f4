// What was dropped or chosen: files, and folders with all that is in them.

export interface Dropped {
  file: File;
  folder: string;
}

function entries(directory: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = directory.createReader();
  const all: FileSystemEntry[] = [];
  // A reader gives a hundred at a time, and none at the end.
  const some = (): Promise<FileSystemEntry[]> =>
    new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject)).then((read) => {
      all.push(...read);
      return read.length ? some() : all;
    });
  return some();
}

async function walk(entry: FileSystemEntry, folder: string): Promise<Dropped[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ file, folder }];
  }
  const inside = folder ? `${folder}/${entry.name}` : entry.name;
  return (await Promise.all((await entries(entry as FileSystemDirectoryEntry)).map((entry) => walk(entry, inside)))).flat();
}

/** Of a drop. The list of what was dropped is gone after the event: it is read at once. */
export async function dropped(data: DataTransfer): Promise<Dropped[]> {
  const roots = [...data.items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  if (roots.length === 0) return [...data.files].map((file) => ({ file, folder: "" }));
  const all = (await Promise.all(roots.map((root) => walk(root, "")))).flat();
  return all.filter(({ file }) => !isSystems(file.name));
}

/** Of a field: of a folder, with its path. */
export function chosen(input: HTMLInputElement): Dropped[] {
  const files = [...(input.files ?? [])].map((file) => ({ file, folder: file.webkitRelativePath.split("/").slice(0, -1).join("/") }));
  return files.filter(({ file }) => !isSystems(file.name));
}

/** What systems lay into folders by themselves. */
function isSystems(name: string): boolean {
  return name === ".DS_Store" || name === "Thumbs.db" || name === "desktop.ini";
}
