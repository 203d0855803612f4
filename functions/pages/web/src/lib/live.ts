// Looks again by itself: each half minute while the page is seen, and at once when one comes back to it or to the network.

import { useEffect, useRef } from "preact/hooks";

const EVERY = 30_000;

export function useLive(look: () => Promise<void>, onError: (error: unknown) => void): void {
  const latest = useRef({ look, onError });
  latest.current = { look, onError };
  useEffect(() => {
    let isLooking = false;
    const now = () => {
      if (document.hidden || !navigator.onLine || isLooking) return;
      isLooking = true;
      latest.current
        .look()
        .catch((error: unknown) => latest.current.onError(error))
        .finally(() => (isLooking = false));
    };
    const timer = setInterval(now, EVERY);
    document.addEventListener("visibilitychange", now);
    addEventListener("focus", now);
    addEventListener("online", now);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", now);
      removeEventListener("focus", now);
      removeEventListener("online", now);
    };
  }, []);
}
