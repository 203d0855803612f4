import assert from "node:assert/strict";
import test from "node:test";
import { archiveName, entryNames } from "../src/lib/zip";

test("in an archive no two files are called the same, whatever the case", () => {
  const files = [
    { name: "a.jpg", folder: "" },
    { name: "A.jpg", folder: "" },
    { name: "a.jpg", folder: "Front" },
    { name: "a (2).jpg", folder: "" },
    { name: "README", folder: "Front" },
    { name: "readme", folder: "Front" },
  ];
  assert.deepEqual(entryNames(files), ["a.jpg", "A (2).jpg", "Front/a.jpg", "a (2) (2).jpg", "Front/README", "Front/readme (2)"]);
});

test("an archive has a name that every system takes", () => {
  assert.equal(archiveName("Zollunterlagen TCLU 730192-4"), "Zollunterlagen TCLU 730192-4.zip");
  assert.equal(archiveName('../a<b>:"c"\u202e'), "a b c.zip");
  assert.equal(archiveName("???"), "files.zip");
});
