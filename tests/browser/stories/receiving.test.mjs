// From the mail to the files on one's own disk.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { after, before, test } from "node:test";
import { launch, Person } from "../lib/browser.mjs";
import { png } from "../lib/files.mjs";
import { PASSWORD, Portal } from "../lib/portal.mjs";

let portal, browser, company;
before(async () => {
  [portal, browser] = await Promise.all([Portal.open(), launch()]);
  company = await portal.company("Harbour & Sons");
});
after(async () => {
  await browser.close();
  await portal.close();
});

const sha = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Name and hash of each file of an archive, by a program that is not ours. */
function unzipped(path) {
  const script = "import zipfile,hashlib,json,sys; z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; print(json.dumps({n:hashlib.sha256(z.read(n)).hexdigest() for n in z.namelist()}))";
  return JSON.parse(execFileSync("python3", ["-c", script, path], { encoding: "utf8" }));
}

test("an invited customer opens the account, sees what was shared before, and downloads it", async () => {
  const contact = await portal.invite(company, "Lucía Fernández", "lucia@harbour.example");
  const files = [
    { name: "Übersicht.png", bytes: png(1), type: "image/png", folder: "Front" },
    { name: "Übersicht.png", bytes: png(2), type: "image/png", folder: "Interior" },
    { name: "list.csv", bytes: Buffer.from("a,b\n1,2\n"), type: "text/csv" },
  ];
  await portal.share("Damage report MSKU 481207-5", [{ contact_id: contact }], files, { message: "Please look at the corner." });
  const lucia = await Person.at(browser, portal);
  const { page } = lucia;
  await lucia.go(await portal.link("lucia@harbour.example", "/activate"));
  await page.getByLabel("Choose a password", { exact: true }).fill("password1234");
  assert.equal(new URL(page.url()).hash, "", "the token is not left in the address");
  await page.getByText("Easy to guess.").waitFor();
  await page.getByLabel("Choose a password", { exact: true }).fill(PASSWORD);
  await page.getByText("Strong.").waitFor();
  await page.getByRole("button", { name: "Create account and see my files" }).click();
  await page.getByRole("link", { name: "Damage report MSKU 481207-5" }).click();
  await page.getByRole("heading", { name: "Damage report MSKU 481207-5" }).waitFor();
  await page.getByText("Please look at the corner.").waitFor();

  const whole = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Download all/ }).click();
  const archive = await whole;
  assert.equal(archive.suggestedFilename(), "Damage report MSKU 481207-5.zip");
  const expected = Object.fromEntries(files.map(({ name, folder, bytes }) => [folder ? `${folder}/${name}` : name, sha(bytes)]));
  assert.deepEqual(unzipped(await archive.path()), expected);
  await page.getByText("Downloaded", { exact: true }).waitFor();

  await page.getByRole("link", { name: "Front 1" }).click();
  await page.getByRole("link", { name: "Übersicht.png" }).click();
  const viewer = page.getByRole("dialog", { name: "Übersicht.png" });
  await viewer.getByText("Front, 1 of 1").waitFor();
  const one = page.waitForEvent("download");
  await viewer.getByRole("button", { name: "Download" }).click();
  assert.equal((await one).suggestedFilename(), "Übersicht.png");
  await page.keyboard.press("Escape");
  await viewer.waitFor({ state: "hidden" });
  await lucia.leave();
});

test("a new share appears by itself, is marked as unread, and is read once it was opened", async () => {
  const { id, email } = await portal.customer(company, "Jan Visser", "jan@harbour.example");
  const jan = await Person.at(browser, portal);
  const { page } = jan;
  await jan.signIn(email, PASSWORD);
  await jan.go("/");
  await page.getByRole("heading", { name: "Nothing has been shared with you yet" }).waitFor();
  await portal.share("Voyage report", [{ contact_id: id }], [{ name: "a.txt", bytes: Buffer.from("a") }]);
  await page.evaluate(() => dispatchEvent(new Event("focus")));
  const row = page.getByRole("link", { name: "Unread: Voyage report" });
  await row.waitFor();
  await row.click();
  await page.getByRole("heading", { name: "Voyage report" }).waitFor();
  await page.getByRole("link", { name: "Files", exact: true }).first().click();
  await page.getByRole("link", { name: "Voyage report", exact: true }).waitFor();
  await jan.leave();
});

test("the search finds beginnings of words while one types, and says when nothing matches", async () => {
  const { id, email } = await portal.customer(company, "Anke Lüders", "anke@harbour.example");
  for (const title of ["Zollunterlagen TCLU 730192", "Loading photos, dock 7"])
    await portal.share(title, [{ contact_id: id }], [{ name: "a.txt", bytes: Buffer.from("a") }]);
  const anke = await Person.at(browser, portal);
  const { page } = anke;
  await anke.signIn(email, PASSWORD);
  await anke.go("/");
  await page.getByRole("link", { name: /Loading photos/ }).waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("zollun");
  await page.getByRole("link", { name: "Loading photos, dock 7" }).waitFor({ state: "hidden" });
  await page.getByRole("link", { name: /Zollunterlagen/ }).waitFor();
  await page.keyboard.type("xyz");
  await page.getByRole("heading", { name: "Nothing matches “zollunxyz”" }).waitFor();
  await page.getByRole("button", { name: "Clear search" }).click();
  await page.getByRole("link", { name: /Loading photos/ }).waitFor();
  await anke.leave();
});
