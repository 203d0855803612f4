// A report for somebody who has no account.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, Person, PHONE } from "../lib/browser.mjs";
import { png } from "../lib/files.mjs";
import { Portal } from "../lib/portal.mjs";

let portal, browser;
before(async () => {
  [portal, browser] = await Promise.all([Portal.open(), launch()]);
});
after(async () => {
  await browser.close();
  await portal.close();
});

const photos = [1, 2, 3].map((number) => ({ name: `IMG_441${number}.png`, bytes: png(number), type: "image/png", folder: "Front" }));

test("the link of a mail shows the files as they look, and one looks through them and downloads them", async () => {
  await portal.share("Damage report", [{ email: "surveyor@survey.example" }], photos, { message: "The corner was hit." });
  const surveyor = await Person.at(browser, portal);
  const { page } = surveyor;
  await surveyor.go(await portal.link("surveyor@survey.example", "/open"));
  await page.getByRole("heading", { name: "Damage report" }).waitFor();
  await page.getByText("For surveyor@survey.example").waitFor();
  await page.waitForFunction(() => [...document.querySelectorAll(".tiles img")].filter((image) => image.complete && image.naturalWidth).length === 3);
  await page.getByRole("link", { name: "IMG_4411.png" }).click();
  await page.getByText("Front, 1 of 3").waitFor();
  await page.keyboard.press("ArrowRight");
  await page.getByText("Front, 2 of 3").waitFor();
  await page.waitForFunction(() => document.querySelector(".stage img")?.naturalWidth > 0);
  await page.keyboard.press("Escape");
  const archive = page.waitForEvent("download");
  await page.getByRole("button", { name: /^Download all/ }).click();
  assert.equal(await (await archive).failure(), null);
  await page.reload();
  await page.getByRole("heading", { name: "Damage report" }).waitFor();
  await surveyor.leave();
});

test("somebody of an unknown company gets access from there, on a phone", async () => {
  await portal.share("Berth plan", [{ email: "new@unknown.example" }], photos);
  const newcomer = await Person.at(browser, portal, { viewport: PHONE, hasTouch: true, isMobile: true });
  const { page } = newcomer;
  await newcomer.go(await portal.link("new@unknown.example", "/open"));
  await page.getByRole("button", { name: "Get access" }).click();
  const dialog = page.getByRole("dialog", { name: "Get access" });
  await dialog.getByLabel("Your name").fill("Nora New");
  await dialog.getByLabel("Company (optional)").fill("Unknown Ltd");
  await dialog.getByRole("button", { name: "Get access" }).click();
  await page.getByText("A mail is on its way to new@unknown.example.").waitFor();
  await newcomer.go(await portal.link("new@unknown.example", "/activate"));
  await page.getByLabel("Choose a password", { exact: true }).fill("a long passphrase of mine");
  await page.getByRole("button", { name: "Create account and see my files" }).click();
  await page.getByRole("link", { name: /Berth plan/ }).waitFor();
  await newcomer.leave();
});

test("what has expired or was taken back says so, with a way on", async () => {
  const soon = new Date(Date.now() + 3_600_000).toISOString();
  await portal.share("Short", [{ email: "late@survey.example" }], photos, { expires_at: soon });
  const link = await portal.link("late@survey.example", "/open");
  const late = await Person.at(browser, portal);
  await late.go(link);
  await late.page.getByText(/Expires (today|tomorrow)/).first().waitFor();
  await portal.pass(7200);
  await late.page.reload();
  await late.page.getByRole("heading", { name: "These files have expired" }).waitFor();
  await late.go("/open#nonsense");
  await late.page.getByRole("heading", { name: "This link does not work" }).waitFor();
  await late.page.getByRole("link", { name: "Sign in" }).waitFor();
  await late.leave();
});

test("hostile names and texts do nothing but appear", async () => {
  const hostile = "<img src=x onerror=alert(1)>";
  const files = [
    { name: "<svg onload=alert(1)>.svg", bytes: Buffer.from("<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"), type: "image/svg+xml" },
    { name: "page.html", bytes: Buffer.from("<script>alert(document.domain)</script>"), type: "text/html" },
    { name: "{{constructor}}.txt", bytes: Buffer.from("see <script>alert(1)</script>"), type: "text/plain" },
  ];
  await portal.share(`${hostile} ${"{title}"}`, [{ email: "careful@survey.example" }], files, { message: `</script>${hostile}` });
  const careful = await Person.at(browser, portal);
  const { page } = careful;
  page.on("dialog", () => careful.problems.push("something ran"));
  await careful.go(await portal.link("careful@survey.example", "/open"));
  await page.getByRole("heading", { name: `${hostile} {title}` }).waitFor();
  await page.getByText(`</script>${hostile}`).waitFor();
  await page.getByRole("link", { name: "{{constructor}}.txt" }).click();
  // What it is, its first bytes have shown: a text is shown as text, and what could run is not shown.
  const shown = page.locator("pre").or(page.getByText("There is no preview of this file."));
  await shown.waitFor();
  for (const key of ["ArrowLeft", "ArrowLeft", "ArrowRight"]) {
    await page.keyboard.press(key);
    await shown.waitFor();
  }
  await careful.leave();
});
