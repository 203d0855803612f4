// Above each page of whoever has signed in: whose portal it is, where one can go, the search and oneself.

import { useEffect, useRef, useState } from "preact/hooks";
import type { Me } from "../api/types";
import { go, place } from "../lib/router";
import { signOut } from "../lib/session";
import { useShared } from "../lib/state";
import { type Key, t } from "../lib/text";
import { Brand } from "./Brand";
import { Icon } from "./Icon";

interface Item {
  to: string;
  label: Key;
  count?: number | undefined;
}

/** Where this person can go. */
function items(me: Me): Item[] {
  const files: Item = { to: "/", label: "nav.files", count: me.unread };
  const may = (area: NonNullable<Me["areas"]>[number]) => me.areas?.includes(area) ?? false;
  const more: (Item | false)[] = [
    may("jobs") && { to: "/jobs", label: "nav.jobs" },
    may("assets") && { to: "/assets", label: "nav.assets" },
    may("report_problem") && (may("assets") || may("jobs")) && { to: "/report", label: "nav.report" },
  ];
  return [files, ...more.filter((item) => item !== false)];
}

function isCurrent(to: string, path: string): boolean {
  return to === "/" ? path === "/" || path.startsWith("/shares") : path === to || path.startsWith(`${to}/`);
}

export function Header({ me }: { me: Me }) {
  const { path } = useShared(place);
  return (
    <header class="header">
      <div class="inside">
        <Brand />
        <nav aria-label={t("nav.label")}>
          {items(me).map(({ to, label, count }) => (
            <a key={to} href={to} aria-current={isCurrent(to, path) ? "page" : undefined}>
              {t(label)}
              {count ? <span class="count">{count >= 100 ? "99+" : count}</span> : null}
            </a>
          ))}
        </nav>
        <Search />
        <Account me={me} />
      </div>
    </header>
  );
}

/** What is searched from a page: what it is a list of, else the shares. */
function searched(path: string): [base: string, label: Key] {
  if (path.startsWith("/jobs")) return ["/jobs", "search.jobs"];
  if (path.startsWith("/assets") || path.startsWith("/sites")) return ["/assets", "search.assets"];
  return ["/", "search"];
}

/** Finds in a list, from wherever one is. */
function Search() {
  const { path, search } = useShared(place);
  const input = useRef<HTMLInputElement>(null);
  const [base, label] = searched(path);
  const asked = path === base ? (new URLSearchParams(search).get("q") ?? "") : "";
  const [text, type] = useState(asked);
  useEffect(() => {
    // Whoever types is ahead of the address.
    if (document.activeElement !== input.current) type(asked);
  }, [asked]);
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const typing = event.target instanceof HTMLElement && event.target.closest("input, textarea, select, dialog");
      if (event.key !== "/" || event.ctrlKey || event.metaKey || typing) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", key);
    return () => removeEventListener("keydown", key);
  }, []);
  const find = (q: string) => {
    type(q);
    const query = new URLSearchParams(path === base ? search : "");
    if (q.trim()) query.set("q", q);
    else query.delete("q");
    go(`${base}${query.size ? `?${query}` : ""}`, { replace: path === base });
  };
  return (
    <form class="search" role="search" onSubmit={(event) => event.preventDefault()}>
      <Icon sign="search" />
      <input ref={input} type="search" value={text} aria-label={t(label)} placeholder={t(label)} autocomplete="off" spellcheck={false}
        onInput={(event) => find(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") find("");
          if (event.key === "ArrowDown") document.querySelector<HTMLElement>(".rows a")?.focus();
        }} />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

function Account({ me }: { me: Me }) {
  const [isOpen, open] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const away = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) open(false);
    };
    addEventListener("pointerdown", away);
    addEventListener("focusin", away);
    return () => {
      removeEventListener("pointerdown", away);
      removeEventListener("focusin", away);
    };
  }, [isOpen]);
  return (
    // Escape closes from wherever the focus is within.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div class="menu end account" ref={root}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        open(false);
        root.current?.querySelector("button")?.focus();
      }}>
      <button type="button" aria-expanded={isOpen} onClick={() => open(!isOpen)}>
        <span class="unseen">{t("account.of", { name: me.name })}</span>
        <span class="avatar" aria-hidden="true">
          {initials(me.name)}
        </span>
        <Icon sign="down" size={16} />
      </button>
      {isOpen && (
        <div class="floating">
          <p>
            <strong>{me.name}</strong>
            <span>{me.email}</span>
          </p>
          <a href="/preferences" onClick={() => open(false)}>
            {t("preferences.title")}
          </a>
          <button type="button" onClick={() => void signOut()}>
            {t("signout")}
          </button>
        </div>
      )}
    </div>
  );
}

function initials(name: string): string {
  const words = name.split(/\s+/).filter(Boolean);
  const first = [words[0], words.length > 1 ? words.at(-1) : undefined];
  return first.map((word) => [...(word ?? "")][0]?.toLocaleUpperCase() ?? "").join("");
}
