// The texts of the pages: `t("files.count", { count: 3 })`. Each language is one file in `messages/`; a text that depends on a
// number has a form for each of the language's plural categories, and `other` for those that it leaves out.

import type en from "../../messages/en.json";

export type Key = keyof typeof en;
type Text = string | { other: string; [category: string]: string };
export type Catalogue = Record<Key, Text>;
export type Values = Record<string, string | number>;

let spoken = "en";
let catalogue = {} as Catalogue;
/** The language as the reader's region writes it: `en-GB` writes dates otherwise than `en-US`. */
let region = "en";
let rules = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");

/** Speaks a language from now on. */
export function speak(language: string, texts: Catalogue): void {
  spoken = language;
  catalogue = texts;
  region = navigator.languages.find((tag) => tag === language || tag.startsWith(`${language}-`)) ?? (language === "en" ? "en-GB" : language);
  rules = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(region);
}

/** The language that is spoken. */
export function language(): string {
  return spoken;
}

/** What `Intl` writes times, sizes and lists by. */
export function locale(): string {
  return region;
}

function form(key: Key, values: Values): string {
  const text = catalogue[key];
  if (typeof text === "string") return text;
  return text[rules.select(Number(values.count))] ?? text.other;
}

/** A text, with values in its places. */
export function t(key: Key, values: Values = {}): string {
  return form(key, values).replace(/\{(\w+)\}/g, (_, name: string) => shown(values[name]));
}

function shown(value: string | number | undefined): string {
  return typeof value === "number" ? numbers.format(value) : (value ?? "");
}

/** A text with elements in its places: what stands between, and what was put there. */
export function pieces<E>(key: Key, values: Record<string, string | number | E>): (string | E)[] {
  const plain = Object.fromEntries(Object.entries(values).filter(([, value]) => typeof value !== "object")) as Values;
  return form(key, plain)
    .split(/\{(\w+)\}/)
    .map((piece, index) => {
      const value = values[piece];
      if (index % 2 === 0) return piece;
      return typeof value === "object" ? value : shown(value as string | number | undefined);
    });
}
