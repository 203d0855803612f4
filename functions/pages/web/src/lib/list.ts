// A list from the API: found by a query, grown page by page, kept up to date by itself, and as it was when one comes back.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { Unchanged } from "../api/client";
import { useLive } from "./live";
import { remember, remembered } from "./router";

export interface Row {
  id: string;
}

export interface Found<T extends Row> {
  pages: T[][];
  next: string | null;
  total: number | undefined;
  tag: string | undefined;
  /** When it was asked for, in milliseconds. */
  at: number;
}

export interface Part {
  cursor?: string;
  known?: string | undefined;
  signal?: AbortSignal;
}

/** Asks for a page of the list. */
export type Read<T extends Row> = (query: Record<string, string>, part: Part) => Promise<Found<T>>;

/** What was there with a first page that is newer: what is after its last row stays as it is. */
export function renewed<T extends Row>(old: Found<T>, first: Found<T>): Found<T> {
  const fresh = first.pages[0] ?? [];
  const last = fresh.at(-1);
  if (first.next === null || !last) return first;
  const ids = new Set(fresh.map(({ id }) => id));
  const rows = old.pages[0] ?? [];
  const place = rows.findIndex(({ id }) => id === last.id);
  if (place < 0 && !rows.some(({ id }) => ids.has(id))) return first;
  const kept = (place < 0 ? rows : rows.slice(place + 1)).filter(({ id }) => !ids.has(id));
  const next = old.pages.length > 1 || kept.length ? old.next : first.next;
  return { ...first, pages: [[...fresh, ...kept], ...old.pages.slice(1)], next };
}

export interface List<T extends Row> {
  found: Found<T> | undefined;
  /** Whether other rows are on their way. */
  isStale: boolean;
  error: unknown;
  again: () => void;
  more: () => void;
  isGrowing: boolean;
  growError: unknown;
  /** How many have come by themselves since the page was opened. */
  arrived: number;
}

/** `isNews`: whether a row that comes by itself is something new to whoever looks. */
export function useList<T extends Row>(kind: string, query: Record<string, string>, read: Read<T>, isNews: (row: T) => boolean = () => true): List<T> {
  const name = `${kind}?${new URLSearchParams(query)}`;
  const [found, set] = useState<{ of: string; list: Found<T> } | undefined>(() => {
    const list = remembered<Found<T>>(name);
    return list && { of: name, list };
  });
  const [error, setError] = useState<unknown>();
  const [grow, setGrow] = useState<{ going: boolean; error: unknown }>({ going: false, error: undefined });
  const [arrived, setArrived] = useState(0);
  const [round, setRound] = useState(0);
  const now = useRef({ found, name, query, read, isNews });
  now.current = { found, name, query, read, isNews };
  const put = useCallback((of: string, list: Found<T>) => {
    remember(of, list);
    set({ of, list });
    setError(undefined);
  }, []);

  useEffect(() => {
    if (now.current.found?.of === name && round === 0) return;
    const aborter = new AbortController();
    // While somebody types, the last letter asks.
    const timer = setTimeout(() => {
      now.current.read(now.current.query, { signal: aborter.signal }).then(
        (list) => {
          if (aborter.signal.aborted) return;
          setGrow({ going: false, error: undefined });
          put(name, list);
        },
        (error: unknown) => {
          if (!aborter.signal.aborted) setError(error);
        },
      );
    }, now.current.found ? 150 : 0);
    return () => {
      clearTimeout(timer);
      aborter.abort();
    };
  }, [name, round, put]);

  useLive(async () => {
    const { found, name, query, read, isNews } = now.current;
    if (found?.of !== name) return;
    try {
      const first = await read(query, { known: found.list.tag });
      if (now.current.found !== found) return;
      const known = new Set(found.list.pages.flat().map(({ id }) => id));
      const fresh = (first.pages[0] ?? []).filter((row) => !known.has(row.id) && isNews(row));
      setArrived((count) => count + fresh.length);
      put(name, renewed(found.list, first));
    } catch (error) {
      if (!(error instanceof Unchanged)) throw error;
      remember(name, { ...found.list, at: Date.now() });
      setError(undefined);
    }
  }, setError);

  const more = useCallback(() => {
    const { found, name, query, read } = now.current;
    if (!found?.list.next || found.of !== name) return;
    setGrow((grow) => {
      if (grow.going) return grow;
      read(query, { cursor: found.list.next ?? "" }).then(
        (page) => {
          setGrow({ going: false, error: undefined });
          const { found: after } = now.current;
          if (after?.of !== name || after.list.next !== found.list.next) return;
          put(name, { ...after.list, pages: [...after.list.pages, ...page.pages], next: page.next });
        },
        (error: unknown) => setGrow({ going: false, error }),
      );
      return { going: true, error: undefined };
    });
  }, [put]);

  return {
    found: found?.list,
    isStale: found !== undefined && found.of !== name,
    error,
    again: useCallback(() => {
      setError(undefined);
      setRound((round) => round + 1);
    }, []),
    more,
    isGrowing: grow.going,
    growError: grow.error,
    arrived,
  };
}
