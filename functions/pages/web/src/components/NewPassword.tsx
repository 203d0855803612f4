// Choosing a password: how good it is, in a word and what makes it better. The bars only repeat it.

import { strength } from "../lib/strength";
import { t } from "../lib/text";
import { Password } from "./Field";

export function NewPassword({ value, onValue, error, known, label }: {
  value: string;
  onValue: (value: string) => void;
  error?: string | undefined;
  /** What others know of the person: it makes no good password. */
  known: string[];
  label?: string;
}) {
  const { bars, word, next, missing = 0 } = strength(value, known);
  const kind = bars >= 3 ? "active" : bars > 0 ? "pending" : "";
  const hint = (
    <>
      <span class={`bars ${kind}`} aria-hidden="true">
        {[1, 2, 3, 4].map((bar) => (
          <i key={bar} class={bar <= bars ? "on" : undefined} />
        ))}
      </span>
      <span aria-live="polite">
        {bars > 0 ? <strong class={kind}>{t(word)}</strong> : t(word)} {next && t(next, { count: missing })}
      </span>
    </>
  );
  return (
    <Password label={label ?? t("password.choose")} name="new-password" autocomplete="new-password" required value={value}
      onValue={onValue} hint={hint} error={error} />
  );
}
