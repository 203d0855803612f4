// Files on their way: how far each is, what went wrong, and what one can do about it.

import { useEffect, useRef } from "preact/hooks";
import { brief, left, percent, size } from "../lib/format";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import type { Item, Uploads } from "../lib/upload";
import { Button, IconButton } from "./Button";
import { Icon } from "./Icon";
import { reason } from "./Notice";
import { Progress } from "./Progress";

export function UploadList({ uploads }: { uploads: Uploads }) {
  const items = useShared(uploads.items);
  if (items.length === 0) return null;
  return (
    <div class="uploads">
      <ul>
        {items.map((item) => (
          <Line key={item.key} item={item} uploads={uploads} />
        ))}
      </ul>
      <Total items={items} uploads={uploads} />
    </div>
  );
}

function Line({ item, uploads }: { item: Item; uploads: Uploads }) {
  const part = item.size ? item.sent / item.size : 0;
  return (
    <li class={item.state}>
      <div class="line">
        <span class="name">{item.folder ? `${item.folder}/${item.name}` : item.name}</span>
        <State item={item} part={part} uploads={uploads} />
      </div>
      {(item.state === "sending" || item.state === "checking") && <Progress part={part} label={item.name} />}
      {(item.state === "failed" || item.state === "paused") && item.error !== undefined && <p class="problem">{reason(item.error)}</p>}
    </li>
  );
}

function State({ item, part, uploads }: { item: Item; part: number; uploads: Uploads }) {
  const again = (label: string) => (
    <button type="button" class="link" onClick={() => uploads.resume(item.key)}>
      {label}
    </button>
  );
  const away = <IconButton sign="close" size={16} label={t("upload.remove", { name: item.name })} onClick={() => void uploads.remove(item.key)} />;
  switch (item.state) {
    case "sent":
      return (
        <span class="sent">
          <Icon sign="check" size={16} /> {t("upload.sent", { time: brief(item.sentAt ?? new Date().toISOString()) })}
        </span>
      );
    case "checking":
      return <span>{t("upload.checking")}</span>;
    case "sending":
      return (
        <span>
          {percent(part)} {away}
        </span>
      );
    case "paused":
      return (
        <span>
          {t("upload.paused")} {again(t("upload.resume"))} {away}
        </span>
      );
    case "failed":
      return (
        <span class="bad">
          {t("upload.failed")} {again(t("again"))} {away}
        </span>
      );
    case "missing":
      return (
        <span>
          {t("upload.missing")} {away}
        </span>
      );
    default:
      return (
        <span>
          {t("upload.waiting")} {away}
        </span>
      );
  }
}

/** Of all together: how much, how long still, and the one button for them. */
function Total({ items, uploads }: { items: Item[]; uploads: Uploads }) {
  const open = items.filter(({ state }) => state !== "sent");
  const moving = open.filter(({ state }) => state === "sending" || state === "waiting");
  const total = open.reduce((sum, item) => sum + item.size, 0);
  const sent = open.reduce((sum, item) => sum + item.sent, 0);
  const seconds = useTimeLeft(sent, total, moving.length > 0);
  const paused = open.filter(({ state }) => state === "paused");
  return (
    <div class="total">
      <p role="status">
        {open.length === 0
          ? t("upload.all_sent", { count: items.length })
          : `${t("upload.total", { sent: size(sent), total: size(total) })}${seconds ? ` ${t("left", { time: left(seconds) })}` : ""}`}
      </p>
      {moving.length > 0 ? (
        <Button look="quiet" small onClick={() => moving.forEach(({ key }) => uploads.pause(key))}>
          {t("upload.pause")}
        </Button>
      ) : (
        paused.length > 0 && (
          <Button look="quiet" small onClick={() => paused.forEach(({ key }) => uploads.resume(key))}>
            {t("upload.resume")}
          </Button>
        )
      )}
    </div>
  );
}

/** By the rate of the last seconds. */
function useTimeLeft(sent: number, total: number, isMoving: boolean): number | undefined {
  const past = useRef<[time: number, sent: number][]>([]);
  useEffect(() => {
    if (!isMoving) past.current = [];
  }, [isMoving]);
  if (!isMoving) return undefined;
  const now = performance.now();
  past.current.push([now, sent]);
  past.current = past.current.filter(([time]) => now - time < 8000);
  const [time, before] = past.current[0] ?? [now, sent];
  const rate = (sent - before) / (now - time);
  return rate > 0 && now - time > 1500 ? (total - sent) / rate / 1000 : undefined;
}
