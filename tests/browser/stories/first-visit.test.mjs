// How much is loaded before the first rows are there, and what one sees when it cannot be.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, Person } from "../lib/browser.mjs";
import { PASSWORD, Portal } from "../lib/portal.mjs";

let portal, browser, maria;
before(async () => {
  [portal, browser] = await Promise.all([Portal.open(), launch()]);
  const company = await portal.company("Harbour & Sons");
  maria = await portal.customer(company, "Maria Keller", "maria@harbour.example");
  for (let number = 1; number <= 30; number++)
    await portal.share(`Damage report MSKU 48120${number}`, [{ contact_id: maria.id }], [{ name: "note.txt", bytes: Buffer.from("See you.") }]);
});
after(async () => {
  await browser.close();
  await portal.close();
});

test("the first rows come with at most six requests and 60 kB", async () => {
  const person = await Person.at(browser, portal);
  await person.signIn(maria.email, PASSWORD);
  const { page } = person;
  await person.go("/");
  await page.getByRole("link", { name: /MSKU 4812030/ }).waitFor();
  const loaded = await page.evaluate(() => {
    const entries = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    return entries.map(({ name, encodedBodySize }) => ({ name, size: encodedBodySize }));
  });
  // Pictures come after the rows.
  const first = loaded.filter(({ name }) => !name.endsWith("/v1/thumbnails") && !name.startsWith("data:"));
  const told = first.map(({ name, size }) => `${size} ${new URL(name).pathname}`).join("\n");
  assert.equal(first.length, 6, told);
  const total = first.reduce((sum, { size }) => sum + size, 0);
  console.log(`${total} bytes:\n${told}`);
  assert.ok(total <= 60_000, told);
  await person.leave();
});

test("further rows come as one scrolls, and going back finds the place (complaint 6)", async () => {
  const person = await Person.at(browser, portal);
  await person.signIn(maria.email, PASSWORD);
  const { page } = person;
  await person.go("/");
  await page.getByRole("link", { name: /MSKU 4812030/ }).waitFor();
  const last = page.getByRole("link", { name: /MSKU 481201$/ });
  for (let tried = 0; (await last.count()) === 0 && tried < 100; tried++) {
    await page.mouse.wheel(0, 500);
    await page.waitForTimeout(50);
  }
  await last.scrollIntoViewIfNeeded();
  const place = await page.evaluate(() => scrollY);
  assert.ok(place > 500);
  await last.click();
  await page.getByRole("heading", { name: "Damage report MSKU 481201", exact: true }).waitFor();
  await page.goBack();
  await page.getByRole("link", { name: /MSKU 481201$/ }).waitFor();
  const after = await page.evaluate(() => scrollY);
  assert.ok(Math.abs(after - place) < 100, `${place} became ${after}`);
  await person.leave();
});

test("where the API fails, the page says so, keeps what was there, and tries again", async () => {
  const person = await Person.at(browser, portal);
  await person.signIn(maria.email, PASSWORD);
  const { page } = person;
  await page.route("**/v1/shares?*", (route) => route.abort());
  await person.go("/");
  await page.getByText("Your files could not be loaded.").waitFor();
  await page.unroute("**/v1/shares?*");
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("link", { name: /MSKU 4812030/ }).waitFor();
  await person.context.setOffline(true);
  await page.getByText("You are offline. What you see is from before").waitFor();
  await page.getByRole("link", { name: /MSKU 4812030/ }).waitFor();
  await person.context.setOffline(false);
  await page.getByText("You are offline. What you see is from before").waitFor({ state: "hidden" });
  await person.leave();
});
