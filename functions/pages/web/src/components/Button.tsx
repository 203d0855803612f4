// What one can press. A busy button says what happens, keeps its place and cannot be pressed again.

import type { ComponentChildren } from "preact";
import { Icon, type Sign } from "./Icon";

export type Look = "primary" | "secondary" | "quiet" | "danger";

interface Shared {
  look?: Look | undefined;
  small?: boolean | undefined;
  wide?: boolean | undefined;
  sign?: Sign | undefined;
  children: ComponentChildren;
}

function classes({ look = "secondary", small, wide }: Pick<Shared, "look" | "small" | "wide">): string {
  return `button ${look}${small ? " small" : ""}${wide ? " wide" : ""}`;
}

interface ButtonProps extends Shared {
  type?: "button" | "submit";
  disabled?: boolean;
  /** What it says while it works. */
  busy?: string | false | undefined;
  onClick?: () => void;
}

export function Button({ look, small, wide, sign, busy, children, type = "button", disabled = false, onClick }: ButtonProps) {
  return (
    <button type={type} disabled={disabled} class={classes({ look, small, wide })} aria-disabled={busy ? true : undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.();
      }}>
      {busy ? <span class="ring" aria-hidden="true" /> : sign && <Icon sign={sign} size={18} />}
      <span>{busy || children}</span>
    </button>
  );
}

export function ButtonLink({ look, small, wide, sign, children, href }: Shared & { href: string }) {
  return (
    <a href={href} class={classes({ look, small, wide })}>
      {sign && <Icon sign={sign} size={18} />}
      <span>{children}</span>
    </a>
  );
}

export function IconButton({ sign, label, size = 20, onClick }: { sign: Sign; label: string; size?: number; onClick: () => void }) {
  return (
    <button type="button" class="icon-button" aria-label={label} title={label} onClick={onClick}>
      <Icon sign={sign} size={size} />
    </button>
  );
}
