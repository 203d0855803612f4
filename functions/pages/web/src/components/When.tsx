// A time: short, and whole for whoever points at it.

import { brief, moment, whole } from "../lib/format";

export function When({ at, inSentence = false }: { at: string; inSentence?: boolean }) {
  return (
    <time dateTime={at} title={whole(at)}>
      {inSentence ? moment(at) : brief(at)}
    </time>
  );
}
