// The token of a mailed link. It stands behind `#`, which no server sees; from the address bar it goes at once, and stays in
// this tab for a reload.

const KEPT = "gatehouse-link:";

/** The token that this page was opened with. */
export function takeToken(): string | undefined {
  const key = KEPT + location.pathname;
  const token = decodeURIComponent(location.hash.slice(1));
  if (token) {
    sessionStorage.setItem(key, token);
    history.replaceState(history.state, "", location.pathname + location.search);
    return token;
  }
  return sessionStorage.getItem(key) ?? undefined;
}

/** It has done what it was for. */
export function dropToken(): void {
  sessionStorage.removeItem(KEPT + location.pathname);
}

// Another link of the same kind, opened in the same tab, loads nothing by itself: only what is behind `#` differs.
addEventListener("hashchange", () => {
  if (location.hash.length > 1) location.reload();
});
