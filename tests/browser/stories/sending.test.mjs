// Files on their way back: with breaks, reloads and pauses; a report with photos.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { launch, Person } from "../lib/browser.mjs";
import { bytes, png } from "../lib/files.mjs";
import { PASSWORD, Portal } from "../lib/portal.mjs";

let portal, browser, company, maria;
const folder = mkdtempSync(join(tmpdir(), "gatehouse-files-"));
before(async () => {
  [portal, browser] = await Promise.all([Portal.open(), launch()]);
  company = await portal.company("Harbour & Sons");
  maria = await portal.customer(company, "Maria Keller", "maria@harbour.example");
});
after(async () => {
  rmSync(folder, { recursive: true, force: true });
  await browser.close();
  await portal.close();
});

const note = [{ name: "note.txt", bytes: Buffer.from("Please send the form.") }];
/** Above the size from which a file goes in parts. */
const LARGE = 80 * 1024 * 1024;

test("an upload goes on after a break of the network and after a reload, and arrives whole (complaint 5)", async () => {
  const share = await portal.share("Return, please", [{ contact_id: maria.id }], note);
  const film = join(folder, "film.mp4");
  const content = bytes(LARGE);
  writeFileSync(film, content);
  const person = await Person.at(browser, portal);
  const { page } = person;
  await person.signIn(maria.email, PASSWORD);
  await person.go(`/shares/${share}`);
  let parts = 0;
  await page.route(/partNumber=/, async (route) => {
    parts += 1;
    // The second part breaks once, and the fourth is held until the page is loaded again.
    if (parts === 2) await route.abort("connectionreset");
    else if (parts < 4) await route.continue();
  });
  await page.locator(".send-back input[type=file]").first().setInputFiles(film);
  await page.waitForFunction(() => Number(document.querySelector(".uploads [role=progressbar]")?.getAttribute("aria-valuenow")) >= 20);
  await page.unrouteAll({ behavior: "ignoreErrors" });
  page.on("dialog", (dialog) => dialog.accept());
  await page.reload();
  await page.getByText(/Sent \d/).waitFor({ timeout: 60_000 });
  const { files } = await portal.call("GET", `/v1/shares/${share}`);
  const film2 = files.find(({ name }) => name === "film.mp4");
  assert.equal(film2.state, "stored");
  const { url } = await portal.call("POST", `/v1/shares/${share}/files/${film2.id}/download`, {});
  const stored = Buffer.from(await (await fetch(url)).arrayBuffer());
  assert.ok(stored.equals(content), "each byte is as it was");
  await person.leave();
});

test("a share of one's own is sent when all its files are there, and the staff see it", async () => {
  const person = await Person.at(browser, portal);
  const { page } = person;
  await person.signIn(maria.email, PASSWORD);
  await person.go("/shares/new");
  await page.getByLabel("What is it about?").fill("Claim MSKU 481207-5");
  await page.getByRole("button", { name: "Send files" }).click();
  await page.getByText("Add at least one file.").waitFor();
  await page.locator("input[type=file]").first().setInputFiles([
    { name: "Claim form.txt", mimeType: "text/plain", buffer: Buffer.from("signed") },
    { name: "Estimate.txt", mimeType: "text/plain", buffer: Buffer.from("4,100") },
  ]);
  await page.getByRole("button", { name: "Send 2 files" }).click();
  await page.getByRole("heading", { name: "Claim MSKU 481207-5" }).waitFor();
  const { items } = await portal.call("GET", "/v1/shares?q=claim");
  assert.deepEqual(items.map(({ title, state, file_count }) => [title, state, file_count]), [["Claim MSKU 481207-5", "sent", 2]]);
  await person.leave();
});

test("a report keeps its words and photos through a reload, and becomes one job (complaint 9)", async () => {
  await portal.call("PUT", `/v1/companies/${company}/assets/R-07`, { name: "Reach stacker 7" });
  const person = await Person.at(browser, portal);
  const { page } = person;
  await person.signIn(maria.email, PASSWORD);
  await person.go("/report");
  await page.getByLabel("What is it about?").fill("reach");
  await page.getByRole("button", { name: /Reach stacker 7/ }).click();
  await page.getByLabel("In a few words").fill("Loses oil");
  await page.getByLabel("What happened").fill("A puddle below the left cylinder.");
  await page.locator(".photo-picker input[type=file]").setInputFiles([1, 2].map((number) => ({ name: `${number}.png`, mimeType: "image/png", buffer: png(number) })));
  await page.getByText("Uploaded").nth(1).waitFor();
  await page.reload();
  await page.getByText("Uploaded").nth(1).waitFor();
  assert.equal(await page.getByLabel("In a few words").inputValue(), "Loses oil");
  await page.getByRole("button", { name: "Report problem with 2 photos" }).dblclick();
  await page.getByRole("heading", { name: "Loses oil" }).waitFor();
  await page.getByText("A puddle below the left cylinder.").waitFor();
  await page.waitForFunction(() => document.querySelectorAll(".photos img").length === 2);
  const { items } = await portal.call("GET", `/v1/jobs?q=loses&company_id=${company}`);
  assert.equal(items.length, 1);
  await page.getByLabel("Write to Northgate Logistics about this job").fill("It stands behind hall 4.");
  await page.getByRole("button", { name: "Send", exact: true }).click();
  await page.locator(".timeline").getByText("It stands behind hall 4.").waitFor();
  await person.leave();
});
