import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { type Catalogue, pieces, speak, t } from "../src/lib/text";

Object.defineProperty(globalThis, "navigator", { value: { languages: ["de-DE", "fr-FR"] }, configurable: true });

type Text = string | Record<string, string>;
const read = (name: string) => JSON.parse(readFileSync(`messages/${name}`, "utf8")) as Record<string, Text>;
const english = read("en.json");
const places = (text: string) => [...new Set(text.match(/\{\w+\}/g))].sort();
const forms = (text: Text) => (typeof text === "string" ? [text] : Object.values(text));
/** What every form of a text may be about: one form may say "a file" for "1 file". */
const allPlaces = (text: Text) => [...new Set(forms(text).flatMap(places))].sort();

for (const name of readdirSync("messages"))
  test(`${name} has every text of the English one, with the same places and its own plurals`, () => {
    const language = name.replace(".json", "");
    const texts = read(name);
    assert.deepEqual(Object.keys(texts).sort(), Object.keys(english).sort());
    const categories = new Intl.PluralRules(language).resolvedOptions().pluralCategories;
    for (const [key, text] of Object.entries(texts)) {
      assert.deepEqual(allPlaces(text), allPlaces(english[key] ?? ""), key);
      assert.ok(forms(text).every((form) => form.trim() !== ""), key);
      if (typeof text === "string") continue;
      assert.ok("other" in text && "one" in text, key);
      for (const category of Object.keys(text)) assert.ok(categories.includes(category as Intl.LDMLPluralRule), `${key}: ${category}`);
    }
  });

test("a text has its number in the form that the language wants, and written as it writes numbers", () => {
  speak("de", read("de.json") as Catalogue);
  assert.equal(t("files", { count: 1 }), "1 Datei");
  assert.equal(t("files", { count: 12_345 }), "12.345 Dateien");
  speak("fr", { ...read("fr.json"), files: { one: "{count} fichier", other: "{count} fichiers" } } as unknown as Catalogue);
  assert.equal(t("files", { count: 0 }), "0 fichier");
  assert.equal(t("files", { count: 2_000_000 }), "2\u202f000\u202f000 fichiers", "`many` is said as `other` is");
});

test("elements stand where the text has them", () => {
  speak("en", english as Catalogue);
  const [files, folder] = [{ is: "files" }, { is: "folder" }];
  assert.deepEqual(pieces("drop.or", { files, folder }), ["or ", files, " or ", folder, ""]);
});
