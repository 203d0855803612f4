// One choice of several, behind a button that shows which.

import { useEffect, useId, useRef, useState } from "preact/hooks";
import { Icon, type Sign } from "./Icon";

export interface Option {
  value: string;
  label: string;
}

export function Menu({ label, sign, options, value, onValue, end = false }: {
  label: string;
  /** Where there is no room for words. */
  sign?: Sign;
  options: Option[];
  value: string;
  onValue: (value: string) => void;
  /** Whether it is at the right edge of the page. */
  end?: boolean;
}) {
  const [isOpen, open] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const id = useId();
  const chosen = options.find((option) => option.value === value);
  useEffect(() => {
    if (!isOpen) return;
    root.current?.querySelector<HTMLElement>("[aria-checked=true], [role=menuitemradio]")?.focus();
    const outside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) open(false);
    };
    addEventListener("pointerdown", outside);
    return () => removeEventListener("pointerdown", outside);
  }, [isOpen]);
  const close = () => {
    open(false);
    root.current?.querySelector("button")?.focus();
  };
  const key = (event: KeyboardEvent) => {
    const items = [...(root.current?.querySelectorAll<HTMLElement>("[role=menuitemradio]") ?? [])];
    const at = items.indexOf(document.activeElement as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 };
    const to = steps[event.key];
    if (event.key === "Escape" && isOpen) {
      event.stopPropagation();
      close();
    } else if (event.key === "Tab") open(false);
    else if (to !== undefined) {
      event.preventDefault();
      if (isOpen) items.at(to % items.length)?.focus();
      else open(true);
    }
  };
  return (
    // Keys go to whatever item has the focus.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div class={end ? "menu end" : "menu"} ref={root} onKeyDown={key}>
      <button type="button" class={value ? "menu-button chosen" : "menu-button"} aria-haspopup="menu" aria-expanded={isOpen} aria-controls={id}
        onClick={() => open(!isOpen)}>
        {sign && <Icon sign={sign} size={18} />}
        <span class={sign ? "words" : undefined}>{chosen?.value ? chosen.label : label}</span>
        <Icon sign="down" size={16} />
      </button>
      {isOpen && (
        <div id={id} role="menu" class="floating" aria-label={label}>
          {options.map((option) => (
            <button key={option.value} type="button" role="menuitemradio" aria-checked={option.value === value} tabIndex={-1}
              onClick={() => {
                onValue(option.value);
                close();
              }}>
              <span>{option.label}</span>
              {option.value === value && <Icon sign="check" size={16} />}
            </button>
          ))}
        </div>
      )}
    </div>
  );
}
