// Where the reader is. A link to a page of ours changes the address without loading anything; going back finds the page as it
// was left: what a page remembers, and how far it was scrolled, belong to the entry of the browser's history.

import { Shared } from "./state";

export interface Place {
  path: string;
  search: string;
  /** The entry of the history. */
  entry: string;
}

interface Entry {
  scroll: number;
  remembered: Map<string, unknown>;
}

const entries = new Map<string, Entry>();

function entryNow(): string {
  const state = history.state as { entry?: string } | null;
  return state?.entry ?? "first";
}

function here(): Place {
  return { path: location.pathname, search: location.search, entry: entryNow() };
}

export const place = new Shared<Place>(here());

function entryOf(key: string): Entry {
  const known = entries.get(key) ?? { scroll: 0, remembered: new Map<string, unknown>() };
  entries.set(key, known);
  return known;
}

/** Goes to a page. With `replace`, what is there now is forgotten, but what it remembers stays. */
export function go(to: string, { replace = false } = {}): void {
  const entry = replace ? place.get().entry : Math.random().toString(36).slice(2);
  entryOf(place.get().entry).scroll = scrollY;
  history[replace ? "replaceState" : "pushState"]({ entry }, "", to);
  place.set(here());
}

/** What this entry of the history remembers by a name. */
export function remembered<T>(name: string): T | undefined {
  return entryOf(place.get().entry).remembered.get(name) as T | undefined;
}

export function remember(name: string, value: unknown): void {
  entryOf(place.get().entry).remembered.set(name, value);
}

/** Scrolls to where this entry was left. */
export function restoreScroll(): void {
  scrollTo(0, entryOf(place.get().entry).scroll);
}

/** Begins to follow links and the browser's own buttons. */
export function follow(): void {
  history.scrollRestoration = "manual";
  history.replaceState({ entry: entryNow() }, "");
  addEventListener("popstate", () => {
    place.set(here());
  });
  addEventListener("scroll", () => (entryOf(entryNow()).scroll = scrollY), { passive: true });
  addEventListener("click", (event) => {
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    if (!link || !plain || event.defaultPrevented || link.origin !== location.origin) return;
    if (link.target || link.hasAttribute("download") || link.pathname.startsWith("/_local/") || link.dataset.plain) return;
    event.preventDefault();
    go(link.href);
  });
}

/** The parts of a path that a pattern (`/shares/{id}`) names, if it is of that pattern. */
export function match(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split("/");
  const parts = path.split("/");
  if (wanted.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = /^\{(\w+)\}$/.exec(wanted[index] ?? "")?.[1];
    if (name && part) found[name] = decodeURIComponent(part);
    else if (part !== wanted[index]) return undefined;
  }
  return found;
}
