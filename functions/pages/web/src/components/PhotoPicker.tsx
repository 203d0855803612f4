// Photos of a report: each with its own progress, and to be taken out again.

import { useEffect, useMemo, useRef } from "preact/hooks";
import { chosen } from "../lib/dropped";
import { percent } from "../lib/format";
import { useShared } from "../lib/state";
import { t } from "../lib/text";
import type { Item, Uploads } from "../lib/upload";
import { Icon } from "./Icon";
import { reason } from "./Notice";
import { Progress } from "./Progress";

export function PhotoPicker({ uploads }: { uploads: Uploads }) {
  const items = useShared(uploads.items);
  const input = useRef<HTMLInputElement>(null);
  return (
    <div class="field">
      <span class="label">{t("photos")}</span>
      <ul class="photo-picker">
        {items.map((item) => (
          <Photo key={item.key} item={item} uploads={uploads} />
        ))}
        <li class="add">
          <button type="button" onClick={() => input.current?.click()}>
            <Icon sign="camera" size={22} />
            {t("photos.add")}
          </button>
          <input ref={input} type="file" accept="image/*" multiple hidden aria-label={t("photos.add")}
            onChange={(event) => {
              uploads.add(chosen(event.currentTarget));
              event.currentTarget.value = "";
            }} />
        </li>
      </ul>
    </div>
  );
}

function Photo({ item, uploads }: { item: Item; uploads: Uploads }) {
  const { file } = item;
  const url = useMemo(() => (file ? URL.createObjectURL(file) : undefined), [file]);
  useEffect(() => () => (url ? URL.revokeObjectURL(url) : undefined), [url]);
  const part = item.size ? item.sent / item.size : 0;
  const isOpen = item.state === "sending" || item.state === "checking" || item.state === "waiting";
  return (
    <li>
      <div class="photo">
        {url && <img src={url} alt={item.name} />}
        {isOpen && <Progress part={part} label={item.name} />}
        <button type="button" class="remove" aria-label={t("upload.remove", { name: item.name })} onClick={() => void uploads.remove(item.key)}>
          <span>
            <Icon sign="close" size={16} />
          </span>
        </button>
      </div>
      <p class={item.state}>
        {item.state === "sent" ? t("photos.there") : isOpen ? percent(part) : reason(item.error)}{" "}
        {(item.state === "failed" || item.state === "paused") && (
          <button type="button" class="link" onClick={() => uploads.resume(item.key)}>
            {t("again")}
          </button>
        )}
      </p>
    </li>
  );
}
