// Chromium, and pages of it that end a story when anything is not as it should be: an error that nobody expected, something
// that the page's policy forbids, a request to anywhere but the portal and its bucket.

import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const ARGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ARGS });
}

export const WIDE = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

/** A person at a browser of their own. */
export class Person {
  problems = [];

  static async at(browser, portal, { viewport = WIDE, ...more } = {}) {
    const person = new Person();
    person.portal = portal;
    person.context = await browser.newContext({ viewport, locale: "en-GB", timezoneId: "Europe/Amsterdam", acceptDownloads: true, ...more });
    person.context.setDefaultTimeout(15_000);
    await person.context.addInitScript(() => {
      addEventListener("securitypolicyviolation", (event) => console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`));
    });
    person.context.on("page", (page) => person.#watch(page));
    person.page = await person.context.newPage();
    return person;
  }

  /** Signed in, without having typed it. */
  async signIn(email, password) {
    const answer = await this.context.request.post(`${this.portal.url}/v1/sessions`, {
      data: { email, password },
      headers: { "x-gatehouse": "1" },
    });
    assert.equal(answer.status(), 201);
  }

  go(path) {
    return this.page.goto(/^(http|about:)/.test(path) ? path : this.portal.url + path);
  }

  #watch(page) {
    const own = new URL(this.portal.url);
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const text = message.text();
      // The browser's own line for an answer that says no, or for a network that the story has cut.
      if (/^Failed to load resource: (the server responded with a status of 4\d\d|net::ERR_INTERNET_DISCONNECTED|net::ERR_FAILED|net::ERR_CONNECTION_RESET)/.test(text)) return;
      this.problems.push(text);
    });
    page.on("pageerror", (error) => this.problems.push(`error: ${error.stack ?? error.message}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.hostname !== own.hostname) this.problems.push(`request to ${url.origin}`);
    });
  }

  async leave() {
    await this.context.close();
    assert.deepEqual(this.problems, []);
  }
}
