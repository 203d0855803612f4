// One of a few, all of them to be seen.

import type { ComponentChildren } from "preact";

export interface Choosable<V extends string> {
  value: V;
  label: ComponentChildren;
  /** Where the label is a sign. */
  name?: string;
}

export function Segment<V extends string>({ label, options, value, onValue }: {
  label: string;
  options: Choosable<V>[];
  value: V;
  onValue: (value: V) => void;
}) {
  return (
    <div class="segment" role="group" aria-label={label}>
      {options.map((option) => (
        <button key={option.value} type="button" aria-pressed={option.value === value} aria-label={option.name} title={option.name}
          onClick={() => onValue(option.value)}>
          {option.label}
        </button>
      ))}
    </div>
  );
}
