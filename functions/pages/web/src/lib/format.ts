// Times, sizes and lists, in the language that is spoken and the zone that the reader is in.

import { locale, t } from "./text";

const DAY = 86_400_000;
const UNITS = ["kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** A size as people write it: three digits at most. */
export function size(bytes: number): string {
  const power = Math.min(Math.max(Math.floor(Math.log10(Math.max(bytes, 1)) / 3), 1), UNITS.length);
  // Less than can be seen in one digit is that digit.
  const value = bytes && Math.max(bytes / 1000 ** power, 0.1);
  const digits = value >= 10 ? 0 : 1;
  return new Intl.NumberFormat(locale(), {
    style: "unit",
    unit: UNITS[power - 1] ?? "kilobyte",
    unitDisplay: "short",
    maximumFractionDigits: digits,
  }).format(value);
}

/** How many days a time lies before (negative) or after today, by the calendar. */
function daysFromToday(time: Date, now: Date): number {
  const midnight = (date: Date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(time) - midnight(now)) / DAY);
}

function dated(time: Date, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale(), options).format(time);
}

function capital(text: string): string {
  return text.charAt(0).toLocaleUpperCase(locale()) + text.slice(1);
}

/** A time in a list: what is needed to know it, and no more. */
export function brief(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const days = daysFromToday(time, now);
  if (days === 0) return dated(time, { hour: "2-digit", minute: "2-digit" });
  if (days === -1) return capital(new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(-1, "day"));
  if (time.getFullYear() === now.getFullYear()) return dated(time, { day: "numeric", month: "short" });
  return dated(time, { day: "numeric", month: "short", year: "numeric" });
}

/** A time in a sentence: "today 09:42", "21 Nov, 18:20". */
export function moment(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const days = daysFromToday(time, now);
  const clock = dated(time, { hour: "2-digit", minute: "2-digit" });
  if (days === 0 || days === -1)
    return `${new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(days, "day")} ${clock}`;
  if (days > -7 && days < 0) return `${dated(time, { weekday: "long" })} ${clock}`;
  const year = time.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return dated(time, { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", ...year });
}

/** A day in a sentence: "today", "1 December". */
export function day(iso: string, now = new Date()): string {
  const time = new Date(iso);
  const days = daysFromToday(time, now);
  if (Math.abs(days) <= 1) return new Intl.RelativeTimeFormat(locale(), { numeric: "auto" }).format(days, "day");
  const year = time.getFullYear() === now.getFullYear() ? {} : ({ year: "numeric" } as const);
  return dated(time, { day: "numeric", month: "long", ...year });
}

/** All of a time, for whoever wants to know. */
export function whole(iso: string): string {
  return dated(new Date(iso), { dateStyle: "full", timeStyle: "short" });
}

/** When something ends, if that is within a week. */
export function expiry(iso: string | null, now = new Date()): string | undefined {
  if (iso === null) return undefined;
  const time = new Date(iso);
  const days = daysFromToday(time, now);
  if (days > 7) return undefined;
  if (time <= now) return t("expires.over");
  if (days === 0) return t("expires.today", { time: dated(time, { hour: "2-digit", minute: "2-digit" }) });
  return t("expires.days", { count: days });
}

/** A duration that is left: "40 seconds", "3 minutes". */
export function left(seconds: number): string {
  const [value, unit] =
    seconds < 55
      ? [Math.max(5, Math.ceil(seconds / 5) * 5), "second"]
      : seconds < 3300
        ? [Math.ceil(seconds / 60), "minute"]
        : [Math.ceil(seconds / 3600), "hour"];
  return new Intl.NumberFormat(locale(), { style: "unit", unit, unitDisplay: "long" }).format(value);
}

export function percent(part: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 0 }).format(part);
}

export function list(texts: string[]): string {
  return new Intl.ListFormat(locale(), { type: "conjunction" }).format(texts);
}
