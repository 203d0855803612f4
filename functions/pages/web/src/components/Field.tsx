// What one can fill in: a label above, below it a hint or what is wrong.

import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import { t } from "../lib/text";
import { Icon } from "./Icon";

interface About {
  label: string;
  hint?: ComponentChildren;
  error?: string | undefined;
  /** Beside the label. */
  aside?: ComponentChildren;
  value: string;
  onValue: (value: string) => void;
  name?: string;
  required?: boolean;
}

interface OneLine extends About {
  autocomplete?: string;
}

type Framed = Pick<About, "label" | "hint" | "error" | "aside">;

function Frame({ id, label, hint, error, aside, children }: Framed & { id: string; children: ComponentChildren }) {
  return (
    <div class={error ? "field wrong" : "field"}>
      <div class="label-line">
        <label for={id}>{label}</label>
        {aside}
      </div>
      {children}
      {error ? (
        <p class="error" id={`${id}-about`}>
          <Icon sign="alert" size={16} /> {error}
        </p>
      ) : (
        hint && (
          <div class="hint" id={`${id}-about`}>
            {hint}
          </div>
        )
      )}
    </div>
  );
}

/** The first wrong field takes the focus, for whoever does not see the page. */
function useFocusWhenWrong(error: string | undefined) {
  const input = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  useEffect(() => {
    if (error && !input.current?.form?.querySelector(".wrong :focus")) {
      const first = input.current?.form?.querySelector<HTMLElement>(".wrong input, .wrong textarea, .wrong select");
      first?.focus();
    }
  }, [error]);
  return input;
}

function described(id: string, { hint, error }: Framed) {
  return { "aria-describedby": hint !== undefined || error ? `${id}-about` : undefined, "aria-invalid": error ? true : undefined };
}

/** What a line of text has, whatever is typed into it. */
function useLine({ label, hint, error, aside, onValue, ...rest }: OneLine) {
  const id = useId();
  const ref = useFocusWhenWrong(error);
  const { name, required, value, autocomplete } = rest;
  const about = described(id, { label, hint, error });
  const onInput = (event: { currentTarget: HTMLInputElement }) => onValue(event.currentTarget.value);
  return { frame: { id, label, hint, error, aside }, line: { ...about, id, name, required, value, autocomplete, ref, onInput } };
}

export function Field({ type = "text", ...about }: OneLine & { type?: "text" | "email" | "tel" }) {
  const { frame, line } = useLine(about);
  return (
    <Frame {...frame}>
      {type === "email" ? <input type="email" {...line} /> : type === "tel" ? <input type="tel" {...line} /> : <input type="text" {...line} />}
    </Frame>
  );
}

export function Password(about: OneLine) {
  const { frame, line } = useLine(about);
  const [isShown, show] = useState(false);
  return (
    <Frame {...frame}>
      <div class="with-button">
        {isShown ? <input type="text" {...line} autocapitalize="off" spellcheck={false} /> : <input type="password" {...line} />}
        <button type="button" aria-pressed={isShown} onClick={() => show(!isShown)}>
          {isShown ? t("password.hide") : t("password.show")}
        </button>
      </div>
    </Frame>
  );
}

export function Area({ label, hint, error, aside, onValue, ...rest }: About & { maxLength?: number }) {
  const id = useId();
  const input = useFocusWhenWrong(error);
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <textarea rows={4} {...rest} {...described(id, { label, hint, error })} ref={input} id={id} onInput={(event) => onValue(event.currentTarget.value)} />
    </Frame>
  );
}

export interface Choice {
  value: string;
  label: string;
}

export function Select({ label, hint, error, aside, choices, value, onValue, name, required = false }: About & { choices: Choice[] }) {
  const id = useId();
  return (
    <Frame {...{ id, label, hint, error, aside }}>
      <select id={id} name={name} required={required} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {choices.map((choice) => (
          <option key={choice.value} value={choice.value}>
            {choice.label}
          </option>
        ))}
      </select>
    </Frame>
  );
}

/** What is so and cannot be changed here. */
export function Fixed({ label, value }: { label: string; value: string }) {
  const id = useId();
  return (
    <Frame id={id} label={label}>
      <output class="fixed" id={id}>
        {value}
      </output>
    </Frame>
  );
}
