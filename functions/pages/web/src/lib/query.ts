// What is looked for in the list of shares: it stands in the address, so that a link to it can be kept.

const DAY = 86_400_000;

export const TYPES = ["image", "document", "video", "audio", "other"] as const;
export const PERIODS = { week: 7, month: 30, year: 365 } as const;
export const SORTS = ["-received_at", "received_at", "title", "-title", "-size", "size"] as const;

/** The query of the API for the one in the address. */
export function asAsked(search: string, now = Date.now()): Record<string, string> {
  const given = new URLSearchParams(search);
  const asked: Record<string, string> = {};
  for (const name of ["q", "type", "sort", "unread", "direction"]) {
    const value = given.get(name)?.trim();
    if (value) asked[name] = value;
  }
  const days = new Map<string | null, number>(Object.entries(PERIODS)).get(given.get("period"));
  // By the day, so that one list is not asked for as another each second.
  if (days) asked.from = new Date(Math.floor(now / DAY) * DAY - days * DAY).toISOString();
  return asked;
}

/** The address with something else looked for. */
export function looking(search: string, change: Record<string, string>): string {
  const query = new URLSearchParams(search);
  for (const [name, value] of Object.entries(change)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  return `/${query.size ? `?${query}` : ""}`;
}

/** Whether it is not simply everything, newest first. */
export function isNarrowed(search: string): boolean {
  return ["q", "type", "unread", "period"].some((name) => new URLSearchParams(search).get(name));
}
