import assert from "node:assert/strict";
import test from "node:test";
import { filesIn, foldersIn, shown } from "../src/lib/folders";

const files = ["", "Front", "Front/Left", "Front/Left", "Frontier", "Interior"].map((folder) => ({ folder }));

test("a folder has what is in it and below, and nothing whose name only begins so", () => {
  assert.deepEqual(foldersIn(files, ""), [
    { path: "Front", name: "Front", count: 3 },
    { path: "Frontier", name: "Frontier", count: 1 },
    { path: "Interior", name: "Interior", count: 1 },
  ]);
  assert.deepEqual(foldersIn(files, "Front"), [{ path: "Front/Left", name: "Left", count: 2 }]);
  assert.equal(filesIn(files, "Front").length, 3);
  assert.equal(filesIn(files, "").length, 6);
});

test("a file is shown in its newest version, once that has arrived", () => {
  const file = (id: string, replaces: string | null, state: "stored" | "pending") => ({ id, replaces, state, folder: "", name: `IMG_${id}.jpg` });
  const ids = (...some: ReturnType<typeof file>[]) => shown(some).map(({ id }) => id);
  assert.deepEqual(ids(file("a", null, "stored"), file("b", "a", "stored"), file("c", "b", "pending")), ["b"]);
  assert.deepEqual(ids(file("10", null, "stored"), file("9", null, "stored")), ["9", "10"]);
});
