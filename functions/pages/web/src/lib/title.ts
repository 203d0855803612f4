// The title of the tab: what the page is, how much is unread, whose portal it is.

import { useEffect } from "preact/hooks";
import { portal } from "./boot";
import { session } from "./session";

let shown = "";

function write(): void {
  const state = session.get();
  const unread = state.state === "in" ? (state.me.unread ?? 0) : 0;
  document.title = `${unread ? `(${unread}) ` : ""}${shown ? `${shown} · ` : ""}${portal.operator}`;
}

session.subscribe(write);

export function useTitle(title: string): void {
  useEffect(() => {
    shown = title;
    write();
  }, [title]);
}
