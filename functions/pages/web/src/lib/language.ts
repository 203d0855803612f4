// Changing the language while the pages are open.

import { boot } from "./boot";
import { Shared } from "./state";
import { type Catalogue, speak } from "./text";

export const spoken = new Shared(boot.language);

/** Says it in the browser's cookie, which the next page is written by. */
function keep(language: string): void {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `gatehouse_language=${language}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
}

export async function change(language: string): Promise<void> {
  if (language === spoken.get() || !boot.portal.languages.includes(language)) return;
  const response = await fetch(`/a/${boot.folder}/messages/${language}.json`);
  if (!response.ok) return;
  speak(language, (await response.json()) as Catalogue);
  keep(language);
  document.documentElement.lang = language;
  spoken.set(language);
}

export function begin(): void {
  speak(boot.language, boot.messages);
}

/** What a language calls itself. */
export function ownName(language: string): string {
  const name = new Intl.DisplayNames(language, { type: "language" }).of(language) ?? language;
  return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
}
