// Getting in: by password, by a link, and back in where a session has ended.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { launch, Person } from "../lib/browser.mjs";
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

async function fillIn(page, email, password) {
  await page.getByLabel("E-mail").fill(email);
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

const note = [{ name: "note.txt", bytes: Buffer.from("See you at dock 7.") }];

test("a link to a share shows the sign-in in its place, and then the share (complaint 1)", async () => {
  const { id, email } = await portal.customer(company, "Maria Keller", "maria@harbour.example");
  const share = await portal.share("Voyage report", [{ contact_id: id }], note);
  const maria = await Person.at(browser, portal);
  await maria.go(`/shares/${share}`);
  await fillIn(maria.page, email, "not the password");
  await maria.page.getByText("E-mail or password is wrong.").waitFor();
  await fillIn(maria.page, email, PASSWORD);
  await maria.page.getByRole("heading", { name: "Voyage report" }).waitFor();
  await maria.leave();
});

test("somebody else is told who is signed in, and finds a way on", async () => {
  const share = await portal.share("For Maria alone", [{ email: "someone@else.example" }], note);
  const { email } = await portal.customer(company, "Owen Fairclough", "owen@harbour.example");
  const owen = await Person.at(browser, portal);
  await owen.signIn(email, PASSWORD);
  await owen.go(`/shares/${share}`);
  await owen.page.getByText("You are signed in as owen@harbour.example.").waitFor();
  await owen.page.getByRole("link", { name: "To your files" }).click();
  await owen.page.getByRole("heading", { name: "Nothing has been shared with you yet" }).waitFor();
  await owen.leave();
});

test("where a session has ended, one signs in over the page and goes on (complaint 2)", async () => {
  const { email } = await portal.customer(company, "Peter Lindqvist", "peter@harbour.example");
  const peter = await Person.at(browser, portal);
  const { page } = peter;
  await peter.signIn(email, PASSWORD);
  await peter.go("/shares/new");
  await page.getByLabel("What is it about?").fill("Claim form");
  await peter.context.clearCookies({ name: "gatehouse" });
  await page.locator("input[type=file]").first().setInputFiles({ name: "form.txt", mimeType: "text/plain", buffer: Buffer.from("signed") });
  await page.getByRole("button", { name: "Send one file" }).click();
  const dialog = page.getByRole("dialog", { name: "Please sign in again" });
  await dialog.getByLabel("Password", { exact: true }).fill(PASSWORD);
  await dialog.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Claim form" }).waitFor();
  await page.getByRole("link", { name: /form\.txt/ }).waitFor();
  await peter.leave();
});

test("a forgotten password is replaced by the mailed link, once", async () => {
  const { email } = await portal.customer(company, "James Abara", "james@harbour.example");
  const james = await Person.at(browser, portal);
  const { page } = james;
  await james.go("/signin");
  await page.getByRole("link", { name: "Forgotten password?" }).click();
  await page.getByLabel("E-mail").fill(email);
  await page.getByRole("button", { name: "Mail me the link" }).click();
  await page.getByRole("heading", { name: "Look into your mailbox" }).waitFor();
  const link = await portal.link(email, "/reset");
  await james.go(link);
  await page.getByLabel("Choose a password", { exact: true }).fill("four other words, entirely");
  await page.getByRole("button", { name: "Save and sign in" }).click();
  await page.getByRole("heading", { name: "Nothing has been shared with you yet" }).waitFor();
  await james.go(link);
  await page.getByLabel("Choose a password", { exact: true }).fill("four more words, entirely");
  await page.getByRole("button", { name: "Save and sign in" }).click();
  await page.getByRole("heading", { name: "This link no longer works" }).waitFor();
  await james.leave();
});

test("an invitation that has expired is mailed anew; one that was used leads to the sign-in", async () => {
  await portal.invite(company, "Katharina von Berg", "katharina@harbour.example");
  const old = await portal.link("katharina@harbour.example", "/activate");
  await portal.pass(60 * 60 * 24 * 30);
  // The admin's session has ended meanwhile.
  portal.admin = (await portal.call("POST", "/v1/sessions", { email: "admin@northgate.example", password: PASSWORD }, null)).token;
  const katharina = await Person.at(browser, portal);
  const { page } = katharina;
  await katharina.go(old);
  await page.getByRole("heading", { name: "This invitation has expired" }).waitFor();
  await page.getByRole("button", { name: "Mail me a new link" }).click();
  await page.getByRole("heading", { name: "A new link is on its way" }).waitFor();
  const fresh = await portal.link("katharina@harbour.example", "/activate", 1);
  assert.notEqual(fresh, old);
  await katharina.go(fresh);
  await page.getByLabel("Choose a password", { exact: true }).fill(PASSWORD);
  await page.getByRole("button", { name: "Create account and see my files" }).click();
  await page.getByRole("heading", { name: "Nothing has been shared with you yet" }).waitFor();
  await katharina.go(fresh);
  await page.getByRole("heading", { name: "This account is there already" }).waitFor();
  await katharina.go("/activate#nonsense");
  await page.getByRole("heading", { name: "This link does not work" }).waitFor();
  await katharina.leave();
});

test("a stranger asks for access, and learns nothing of whom the operator knows", async () => {
  const stranger = await Person.at(browser, portal);
  const { page } = stranger;
  await stranger.go("/signin");
  await page.getByRole("link", { name: "Register now" }).click();
  await page.getByLabel("Name").fill("Rita Sommer");
  await page.getByLabel("E-mail").fill("maria@harbour.example");
  await page.getByLabel("Company").fill("Harbour");
  await page.getByRole("button", { name: "Send request" }).click();
  await page.getByRole("heading", { name: "Your request has been sent" }).waitFor();
  await stranger.leave();
});

test("the preferences change the language at once, and mails end by the link in them", async () => {
  const { id, email } = await portal.customer(company, "Inés Romero", "ines@harbour.example");
  await portal.share("Inspección", [{ contact_id: id }], note);
  const unsubscribe = await portal.link(email, "/unsubscribe");
  const ines = await Person.at(browser, portal);
  const { page } = ines;
  await ines.go(unsubscribe);
  await page.getByRole("button", { name: "Stop these mails" }).click();
  await page.getByRole("heading", { name: "You get no more of these mails" }).waitFor();
  await ines.signIn(email, PASSWORD);
  await ines.go("/preferences");
  assert.equal(await page.getByLabel("None").isChecked(), true);
  await page.locator("main").getByLabel("Language").selectOption("es");
  await page.getByRole("button", { name: "Save" }).first().click();
  await page.getByRole("heading", { name: "Preferencias" }).waitFor();
  await page.reload();
  await page.getByRole("heading", { name: "Preferencias" }).waitFor();
  assert.equal(await page.evaluate(() => document.documentElement.lang), "es");
  await ines.leave();
});
