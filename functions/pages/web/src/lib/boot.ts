// What the document brings: the operator's face, the language and its texts.

import type { Catalogue } from "./text";

export interface Portal {
  operator: string;
  logo: string | null;
  logo_dark?: string | null;
  languages: string[];
  support_email: string | null;
  imprint_url?: string | null;
  privacy_url?: string | null;
}

export interface Boot {
  portal: Portal;
  language: string;
  folder: string;
  messages: Catalogue;
}

export const boot = JSON.parse(document.getElementById("boot")?.textContent ?? "{}") as Boot;
export const portal = boot.portal;
