// What will be here, why nothing is here now, and what one can do.

import type { ComponentChildren } from "preact";
import { Icon, type Sign } from "./Icon";

export function Empty({ sign, title, children, actions }: { sign?: Sign; title: string; children?: ComponentChildren; actions?: ComponentChildren }) {
  return (
    <div class="empty">
      {sign && <Icon sign={sign} size={28} />}
      <h2>{title}</h2>
      {children && <p>{children}</p>}
      {actions && <div class="actions">{actions}</div>}
    </div>
  );
}
