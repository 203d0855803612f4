// The end of a list: more rows, as one comes near; by a button for the keyboard, and where that has failed.

import { useEffect, useRef } from "preact/hooks";
import type { List, Row } from "../lib/list";
import { t } from "../lib/text";
import { Button } from "./Button";
import { Failure } from "./Notice";

export function More<T extends Row>({ list }: { list: List<T> }) {
  const end = useRef<HTMLDivElement>(null);
  const { found, more, growError } = list;
  const hasMore = found?.next != null;
  useEffect(() => {
    const element = end.current;
    if (!element || !hasMore || growError !== undefined) return;
    const observer = new IntersectionObserver(([entry]) => entry?.isIntersecting && more(), { rootMargin: "600px" });
    observer.observe(element);
    return () => observer.disconnect();
  }, [hasMore, growError, more, found]);
  if (!hasMore) return <p class="end-of-list">{(found?.pages.length ?? 0) > 1 ? t("list.end") : ""}</p>;
  return (
    <div ref={end} class="end-of-list">
      {growError !== undefined ? (
        <Failure what={t("list.failed_more")} error={growError} again={more} />
      ) : (
        <Button busy={list.isGrowing && t("loading")} onClick={more}>
          {t("list.more")}
        </Button>
      )}
    </div>
  );
}
