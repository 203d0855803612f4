// Files for whoever sent the share: dropped, chosen or photographed.

import { useEffect, useRef } from "preact/hooks";
import { t } from "../lib/text";
import { useShared } from "../lib/state";
import { uploadsTo } from "../lib/uploads";
import { DropZone } from "./DropZone";
import { UploadList } from "./UploadList";

export function SendBack({ share, onSent }: { share: string; onSent: () => void }) {
  const uploads = uploadsTo(share);
  const items = useShared(uploads.items);
  const count = items.filter(({ state }) => state === "sent").length;
  const told = useRef(count);
  useEffect(() => {
    if (count > told.current) onSent();
    told.current = count;
  }, [count, onSent]);
  return (
    <section class="send-back" id="send-back">
      <h2>{t("send.back")}</h2>
      <DropZone title={t("drop.here")} onFiles={(files) => uploads.add(files)} />
      <UploadList uploads={uploads} />
    </section>
  );
}
