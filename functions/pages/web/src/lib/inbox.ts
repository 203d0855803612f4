// The list of shares.

import { askTagged } from "../api/client";
import type { ShareRow } from "../api/types";
import { type List, type Read, useList } from "./list";
import { Shared } from "./state";

/** As many as the document preloads (`functions/pages/src/shell.rs`): few, for they are waited for. */
const FIRST = 25;
const MORE = 50;

/** Shares that were opened here: their rows need not be asked for again. */
export const opened = new Shared<ReadonlySet<string>>(new Set());

export function markOpened(id: string): void {
  opened.set(new Set([...opened.get(), id]));
}

const read: Read<ShareRow> = async (query, { cursor, known, signal }) => {
  const asked = { limit: String(cursor ? MORE : FIRST), ...query, ...(cursor ? { cursor } : {}) };
  const [list, tag] = await askTagged("GET /v1/shares", { query: asked, signal, known });
  return { pages: [list.items], next: list.next, total: list.total ?? undefined, tag: tag ?? undefined, at: Date.now() };
};

export function useInbox(query: Record<string, string>): List<ShareRow> {
  return useList("shares", query, read, ({ unread }) => unread);
}
