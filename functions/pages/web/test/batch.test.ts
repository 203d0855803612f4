import assert from "node:assert/strict";
import test from "node:test";
import { Batch } from "../src/lib/batch";

test("questions of one moment are asked as one, and each answer once", async () => {
  const asked: string[][] = [];
  const batch = new Batch<string, string>(2, (keys) => {
    asked.push(keys);
    return Promise.resolve(new Map(keys.filter((key) => key !== "none").map((key) => [key, key.toUpperCase()])));
  });
  assert.deepEqual(await Promise.all([batch.get("a"), batch.get("b"), batch.get("a"), batch.get("none")]), ["A", "B", "A", undefined]);
  assert.deepEqual(asked, [["a", "b"], ["none"]]);
  batch.forget("a");
  await batch.get("a");
  await batch.get("b");
  assert.deepEqual(asked[2], ["a"]);
  assert.equal(asked.length, 3);
});

test("what failed is asked for again", async () => {
  let fails = true;
  const batch = new Batch<string, number>(5, () => (fails ? Promise.reject(new Error("down")) : Promise.resolve(new Map([["a", 1]]))));
  await assert.rejects(batch.get("a"), /down/);
  fails = false;
  assert.equal(await batch.get("a"), 1);
});
