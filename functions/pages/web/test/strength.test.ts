import assert from "node:assert/strict";
import test from "node:test";
import { strength } from "../src/lib/strength";

test("a password is short, weak, good or strong, and the next step is named", () => {
  assert.deepEqual(strength(""), { bars: 0, word: "strength.hint" });
  assert.deepEqual(strength("kranich"), { bars: 1, word: "strength.short", next: "strength.short_next", missing: 5 });
  assert.equal(strength("grúa naranja lluvia").word, "strength.good");
  assert.equal(strength("grúa naranja lluvia oxidada").word, "strength.strong");
  assert.equal(strength("Zk7!pq-9Lm4xTr2w").word, "strength.strong");
});

test("what somebody would try first is weak, however long", () => {
  assert.equal(strength("password-password").word, "strength.weak");
  assert.equal(strength("aaaaaaaaaaaaaaaaaaaa").word, "strength.weak");
  assert.equal(strength("fernandez 2026 puerto", ["Lucía Fernandez"]).word, "strength.weak");
});
