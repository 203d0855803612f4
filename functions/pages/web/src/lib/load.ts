// What a page asks for when it is opened.

import { useCallback, useEffect, useRef, useState } from "preact/hooks";

export interface Loaded<T> {
  data: T | undefined;
  error: unknown;
  isLoading: boolean;
  again: () => void;
  set: (data: T) => void;
}

/** Loads by `read`, and anew when `about` is another. What was there stays until something else is. */
export function useLoad<T>(about: string, read: (signal: AbortSignal) => Promise<T>, initial?: T): Loaded<T> {
  const [state, set] = useState<{ data: T | undefined; error: unknown; isLoading: boolean }>({
    data: initial,
    error: undefined,
    isLoading: initial === undefined,
  });
  const [round, setRound] = useState(0);
  const reading = useRef(read);
  reading.current = read;
  const has = useRef(initial !== undefined);
  useEffect(() => {
    if (has.current) {
      has.current = false;
      return;
    }
    const aborter = new AbortController();
    set((old) => ({ ...old, error: undefined, isLoading: true }));
    reading.current(aborter.signal).then(
      (data) => {
        if (!aborter.signal.aborted) set({ data, error: undefined, isLoading: false });
      },
      (error: unknown) => {
        if (!aborter.signal.aborted) set((old) => ({ ...old, error, isLoading: false }));
      },
    );
    return () => aborter.abort();
  }, [about, round]);
  const again = useCallback(() => setRound((round) => round + 1), []);
  const put = useCallback((data: T) => set({ data, error: undefined, isLoading: false }), []);
  return { ...state, again, set: put };
}
