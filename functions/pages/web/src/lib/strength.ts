// How good a password looks while it is typed. The API decides; this only says early what it would say, and how to do better.

import type { Key } from "./text";

export interface Strength {
  /** Of four bars. */
  bars: 0 | 1 | 2 | 3 | 4;
  word: Key;
  /** What makes it better. */
  next?: Key;
  /** How many characters it lacks. */
  missing?: number;
}

/** The API's own least. */
export const LEAST = 12;

const COMMON = /pass ?w|passwor|contrase|motdepasse|wachtwoord|qwert|azert|asdf|12345|abcde|letmein|iloveyou|welcome|willkommen|bienven|welkom/i;

/** Of a password of somebody who is called so, and so on. */
export function strength(password: string, known: string[] = []): Strength {
  const length = [...password].length;
  if (length === 0) return { bars: 0, word: "strength.hint" };
  if (length < LEAST) return { bars: 1, word: "strength.short", next: "strength.short_next", missing: LEAST - length };
  const plain = password.toLocaleLowerCase();
  const tried = known.flatMap((text) => text.toLocaleLowerCase().split(/[^\p{L}\p{N}]+/u)).filter((part) => part.length > 3);
  const guessable = COMMON.test(plain) || tried.some((part) => plain.includes(part)) || new Set(plain).size < 6;
  if (guessable) return { bars: 2, word: "strength.weak", next: "strength.weak_next" };
  const words = new Set(plain.match(/\p{L}{3,}/gu)).size;
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{N}/u, /[^\p{L}\p{N}\s]/u].filter((kind) => kind.test(password)).length;
  if (words >= 4 || length >= 20 || (kinds >= 3 && length >= 16)) return { bars: 4, word: "strength.strong" };
  return { bars: 3, word: "strength.good", next: words >= 2 ? "strength.good_next" : "strength.good_longer" };
}
