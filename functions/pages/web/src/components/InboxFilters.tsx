// What of the list is shown, and in which order.

import { useState } from "preact/hooks";
import { PERIODS, SORTS, TYPES } from "../lib/query";
import { type Key, t } from "../lib/text";
import { Menu, type Option } from "./Menu";
import { Segment } from "./Segment";

const SORT_NAMES: Record<(typeof SORTS)[number], Key> = {
  "-received_at": "sort.newest",
  received_at: "sort.oldest",
  title: "sort.title",
  "-title": "sort.title_back",
  "-size": "sort.largest",
  size: "sort.smallest",
};

export function InboxFilters({ search, unread, onLook }: {
  search: string;
  unread: number | undefined;
  onLook: (change: Record<string, string>) => void;
}) {
  const [isOpen, open] = useState(false);
  const query = new URLSearchParams(search);
  const which = query.get("unread") ? "unread" : query.get("direction") === "out" ? "sent" : "all";
  const count = unread ? <span class="count">{unread >= 100 ? "99+" : unread}</span> : null;
  const segments = [
    { value: "all", label: t("filter.all") },
    { value: "unread", label: <>{t("unread")} {count}</> },
    { value: "sent", label: t("filter.sent") },
  ];
  const all: Option = { value: "", label: t("filter.any") };
  const types = [all, ...TYPES.map((value) => ({ value, label: t(`type.${value}`) }))];
  const periods = [all, ...(Object.keys(PERIODS) as (keyof typeof PERIODS)[]).map((value) => ({ value, label: t(`period.${value}`) }))];
  const sorts = SORTS.map((value) => ({ value, label: t(SORT_NAMES[value]) }));
  return (
    <div class={isOpen ? "filters open" : "filters"}>
      <Segment label={t("filter.label")} options={segments} value={which}
        onValue={(value) => onLook({ unread: value === "unread" ? "true" : "", direction: value === "sent" ? "out" : "" })} />
      <button type="button" class="menu-button narrow-only" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        {t("filter")}
      </button>
      <div class="more-filters">
        <Menu label={t("filter.type")} value={query.get("type") ?? ""} options={types} onValue={(type) => onLook({ type })} />
        <Menu label={t("filter.date")} value={query.get("period") ?? ""} options={periods} onValue={(period) => onLook({ period })} />
      </div>
      <Menu end label={t("sort.newest")} sign="sort" value={query.get("sort") ?? "-received_at"} options={sorts}
        onValue={(sort) => onLook({ sort: sort === "-received_at" ? "" : sort })} />
    </div>
  );
}
