// What a share is: its title, who sent it and when, until when it is here, and what was written with it.

import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { ShareRow } from "../api/types";
import { portal } from "../lib/boot";
import { day, expiry } from "../lib/format";
import { t } from "../lib/text";
import { When } from "./When";

type About = Pick<ShareRow, "title" | "from" | "reference" | "received_at" | "expires_at" | "message">;

export function ShareHead({ share, back }: { share: About; back?: ComponentChildren }) {
  const ends = expiry(share.expires_at);
  return (
    <>
      {back}
      <h1 tabIndex={-1}>{share.title}</h1>
      <p class="meta share-meta">
        <span>
          {share.from}
          {share.from === portal.operator ? "" : <span class="wide-only">, {portal.operator}</span>}
        </span>
        {share.reference && <span>{share.reference}</span>}
        <span>
          <When at={share.received_at} inSentence />
        </span>
        {ends && share.expires_at ? <span class="ends">{t("expires.on", { ends, day: day(share.expires_at) })}</span> : null}
      </p>
      {share.message && <Message text={share.message} />}
    </>
  );
}

/** Longer than a glance is folded, on small screens. */
const GLANCE = 240;

export function Message({ text }: { text: string }) {
  const [isWhole, unfold] = useState(text.length <= GLANCE && text.split("\n").length < 4);
  return (
    <blockquote class={isWhole ? "quote" : "quote folded"}>
      <p>{text}</p>
      {!isWhole && (
        <button type="button" class="link narrow-only" onClick={() => unfold(true)}>
          {t("more")}
        </button>
      )}
    </blockquote>
  );
}
