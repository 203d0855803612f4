// A file of a job, as a picture where it is one.

import type { JobFileView } from "../api/types";
import type { Source } from "../lib/source";
import { Thumb } from "./Thumb";

export function JobPhoto({ file, source, href }: { file: JobFileView; source: Source; href: string }) {
  return (
    <a href={href} aria-label={file.name} title={file.name}>
      <Thumb id={file.id} from={source.small} name={file.name} preview={file.preview === "image" ? "image" : null} />
    </a>
  );
}
