// What axe finds. It is evaluated, not added as a script: the page's policy takes none.

import assert from "node:assert/strict";
import axe from "axe-core";

export async function holdsToAxe(page, what) {
  await page.evaluate(axe.source);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const said = found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target, failureSummary }) => `${target} ${failureSummary}`).join("; ")}`);
  assert.deepEqual(said, [], what);
}
