// One column, for whoever has not come in yet.

import type { ComponentChildren } from "preact";
import { useTitle } from "../lib/title";
import { Brand } from "./Brand";
import { Footer } from "./Footer";

export function Narrow({ title, intro, wider = false, children }: {
  title: string;
  intro?: ComponentChildren;
  wider?: boolean;
  children?: ComponentChildren;
}) {
  useTitle(title);
  return (
    <div class="narrow-page">
      <main id="main" class={wider ? "narrow wider" : "narrow"}>
        <Brand />
        <h1 tabIndex={-1}>{title}</h1>
        {intro && <div class="intro">{intro}</div>}
        {children}
      </main>
      <Footer />
    </div>
  );
}
