import assert from "node:assert/strict";
import test from "node:test";
import type { Found, Row } from "../src/lib/list";

// The list keeps itself in the browser's history: enough of a browser to load the module.
Object.assign(globalThis, { history: { state: null }, location: { pathname: "/", search: "" } });
const { renewed } = await import("../src/lib/list");

const row = (id: string): Row => ({ id });
const found = (pages: string[], next: string | null): Found<Row> => ({
  pages: pages.map((page) => [...page].map(row)),
  next,
  total: undefined,
  tag: undefined,
  at: 0,
});
const ids = (list: Found<Row>) => list.pages.map((page) => page.map(({ id }) => id).join(""));

test("a new share comes on top, and what it pushes off the first page stays in the list", () => {
  const list = renewed(found(["bcd", "efg"], "g"), found(["abc"], "c"));
  assert.deepEqual(ids(list), ["abcd", "efg"]);
  assert.equal(list.next, "g");
});

test("a share that was taken away leaves the list", () => {
  assert.deepEqual(ids(renewed(found(["abcd"], "d"), found(["abd"], "d"))), ["abd"]);
  assert.deepEqual(ids(renewed(found(["abcd"], "d"), found(["ab"], null))), ["ab"]);
});

test("where nothing is as it was, the list begins anew", () => {
  const list = renewed(found(["abc", "def"], "f"), found(["xyz"], "z"));
  assert.deepEqual(ids(list), ["xyz"]);
  assert.equal(list.next, "z");
});
