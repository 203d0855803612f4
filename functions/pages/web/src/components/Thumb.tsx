// A small picture of a file, asked for when it comes into sight; where there is none, the kind of file in letters.

import { useEffect, useRef, useState } from "preact/hooks";
import type { PreviewKind, Thumbnail } from "../api/types";
import type { Batch } from "../lib/batch";
import { Icon } from "./Icon";

/** One observer for all pictures of the page. */
const watched = new WeakMap<Element, () => void>();
const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting) continue;
      observer.unobserve(target);
      watched.get(target)?.();
    }
  },
  { rootMargin: "300px" },
);

export function Thumb({ id, from, name, preview, more = 0 }: {
  id: string;
  from: Batch<string, Thumbnail>;
  /** For its ending, where it has no picture. */
  name?: string;
  preview: PreviewKind | null;
  /** How many more there are, on the last of a strip. */
  more?: number;
}) {
  const [url, show] = useState<string>();
  const frame = useRef<HTMLSpanElement>(null);
  const tries = useRef(0);
  const load = useRef(() => {
    void from.get(id).then((thumbnail) => show(thumbnail?.url), () => undefined);
  });
  const drawn = preview === "image" || preview === "pdf";
  useEffect(() => {
    const element = frame.current;
    if (!element || !drawn) return;
    watched.set(element, load.current);
    observer.observe(element);
    return () => observer.unobserve(element);
  }, [drawn]);
  return (
    <span class={`thumb${preview === "pdf" ? " paper" : ""}`} ref={frame}>
      {url ? (
        <img src={url} alt="" decoding="async"
          onError={() => {
            // Its address has ended, or the network: once more, by a new one.
            show(undefined);
            from.forget(id);
            if (tries.current++ < 1) load.current();
          }} />
      ) : (
        <span class="letters">{preview === "video" ? <Icon sign="play" /> : ending(name) || <Icon sign="file" />}</span>
      )}
      {more > 0 && <span class="more">+{more}</span>}
    </span>
  );
}

function ending(name = ""): string {
  const end = /\.([\p{L}\p{N}]{1,5})$/u.exec(name)?.[1];
  return end?.toLocaleUpperCase() ?? "";
}
