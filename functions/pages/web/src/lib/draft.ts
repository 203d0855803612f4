// A report that is being written, kept on this device until it is sent: a reload or a new session loses nothing of it.

export interface About {
  kind: "asset" | "site";
  id: string;
  name: string;
  reference: string;
  more: string;
}

export interface Draft {
  about?: About | undefined;
  title: string;
  description: string;
  urgency: "low" | "normal" | "urgent";
  /** Of this one report, however often it is sent. */
  key: string;
}

const KEPT = "gatehouse-report:";

/** Each person has its own. */
export function draftOf(person: string): Draft {
  const fresh: Draft = { title: "", description: "", urgency: "normal", key: crypto.randomUUID() };
  try {
    return { ...fresh, ...(JSON.parse(localStorage.getItem(KEPT + person) ?? "{}") as Partial<Draft>) };
  } catch {
    return fresh;
  }
}

export function keepDraft(person: string, draft: Draft): void {
  localStorage.setItem(KEPT + person, JSON.stringify(draft));
}

export function dropDraft(person: string): void {
  localStorage.removeItem(KEPT + person);
}
