// The types of the API that pages name, made from its document (`npm run types`).

import type * as made from "./schema";

/** What an object has beside other things that it may be. */
type Part<K extends PropertyKey> = Extract<made.Me, Record<K, unknown>>;

export type Me = Part<"kind"> & Partial<Part<"areas">> & Partial<Part<"roles">>;

export type {
  ActivationCheck,
  Asset,
  AwaitedFile,
  Download,
  FileKind,
  FirstFile,
  JobEvent,
  JobFileView,
  JobRow,
  JobStatus,
  JobWithHistory,
  Offer,
  OpenedLink,
  PreviewKind,
  Problem,
  Session,
  ShareFile,
  ShareList,
  ShareRow,
  ShareWithFiles,
  Site,
  Thumbnail,
  Upload,
  Urgency,
} from "./schema";
