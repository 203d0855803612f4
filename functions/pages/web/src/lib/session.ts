// Who has signed in. Several tabs share one session: each hears what another does.

import { ask, onEnded } from "../api/client";
import type { Me } from "../api/types";
import { forgetAll } from "./kept";
import { change } from "./language";
import { Shared } from "./state";

export type Session = { state: "unknown" } | { state: "out" } | { state: "in"; me: Me };

export const session = new Shared<Session>({ state: "unknown" });
/** Whether the session has ended while a page was open: it stays, and the sign-in comes over it. */
export const ended = new Shared(false);

const tabs = new BroadcastChannel("gatehouse-session");
let waiting: (() => void)[] = [];

/** Finds out who has signed in. */
export async function load(): Promise<void> {
  const me = await ask("GET /v1/me", { isPublic: true });
  begin(me as Me);
}

function begin(me: Me): void {
  const before = session.get();
  // Somebody else has signed in, here or in another tab: nothing of the one before stays.
  if (before.state === "in" && before.me.id !== me.id) {
    location.reload();
    return;
  }
  session.set({ state: "in", me });
  ended.set(false);
  onEnded.wait = renewed;
  void change(me.language);
  for (const go of waiting.splice(0)) go();
}

/** A call was told that nobody has signed in: it goes on when somebody has. */
function renewed(): Promise<void> {
  ended.set(true);
  return new Promise((resolve) => waiting.push(resolve));
}

export async function signIn(email: string, password: string): Promise<void> {
  await ask("POST /v1/sessions", { body: { email, password }, isPublic: true });
  await welcome();
}

/** A session has been opened, by whatever way. */
export async function welcome(): Promise<void> {
  await load();
  tabs.postMessage("in");
}

export function leave(): void {
  waiting = [];
  onEnded.wait = undefined;
  ended.set(false);
  session.set({ state: "out" });
}

export async function signOut(everywhere = false): Promise<void> {
  await ask(everywhere ? "DELETE /v1/sessions" : "DELETE /v1/sessions/current", { isPublic: true });
  tabs.postMessage("out");
  await forget();
}

/** Begins anew, with nothing of this person: neither in memory nor in the browser. */
async function forget(): Promise<void> {
  sessionStorage.clear();
  for (const name of Object.keys(localStorage)) if (name.startsWith("gatehouse-report:")) localStorage.removeItem(name);
  await forgetAll().catch(() => undefined);
  location.assign("/signin");
}

/** What has changed of oneself. */
export function update(me: Me): void {
  session.set({ state: "in", me });
}

tabs.onmessage = ({ data }) => {
  if (data === "in") void load().catch(() => undefined);
  else if (data === "out" && session.get().state === "in") void renewed();
};
