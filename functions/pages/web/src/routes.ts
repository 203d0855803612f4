// Which page is at which address. `isPublic`: whoever has not signed in sees it, too.

import type { ComponentType } from "preact";
import { Inbox } from "./pages/inbox";
import { SignIn } from "./pages/signin";

/** What a page gets: the parts of its address. */
export interface PageProps {
  id: string;
}

export interface Page {
  path: string;
  isPublic?: boolean;
  /** There from the start; or how it is loaded. */
  component: { now: ComponentType<PageProps> } | { later: () => Promise<ComponentType<PageProps>> };
}

type More = typeof import("./pages/more");

/** A page of those that are loaded together, when one first goes to any of them. */
function more(path: string, name: keyof More, isPublic = false): Page {
  return { path, isPublic, component: { later: async () => (await import("./pages/more"))[name] } };
}

export const PAGES: Page[] = [
  { path: "/", component: { now: Inbox } },
  { path: "/signin", component: { now: SignIn }, isPublic: true },
  more("/activate", "Activate", true),
  more("/assets", "Assets"),
  more("/assets/{id}", "AssetPage"),
  more("/forgot", "Forgot", true),
  more("/jobs", "Jobs"),
  more("/jobs/{id}", "Jobs"),
  more("/open", "Open", true),
  more("/preferences", "Preferences"),
  more("/register", "Register", true),
  more("/report", "Report"),
  more("/reset", "Reset", true),
  more("/unsubscribe", "Unsubscribe", true),
  more("/shares/new", "Send"),
  more("/shares/{id}", "Share"),
  more("/sites/{id}", "SitePage"),
];
