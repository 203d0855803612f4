// The types of the API that pages name, made from its document (`npm run types`). What an answer may have as well is added
// here, in one place: pages show it where it is there.

import type * as made from "./schema";

/** What an object has beside other things that it may be. */
type Part<K extends PropertyKey> = Extract<made.Me, Record<K, unknown>>;

export type Me = Part<"kind"> &
  Partial<Part<"areas">> &
  Partial<Part<"roles">> & {
    unread?: number;
    previous_visit_at?: string | null;
    pending_registrations?: number;
  };

export type ShareRow = made.ShareRow & {
  returned_count?: number;
  from_id?: string | null;
  direction?: "in" | "out";
};
export type ShareList = Omit<made.ShareList, "items"> & { items: ShareRow[]; total?: number };
export type ShareFile = made.ShareFile & {
  scan?: "clean" | "infected" | "pending" | "unscanned" | null;
  name_differs?: boolean;
};
export type ShareWithFiles = Omit<made.ShareWithFiles, "files"> & ShareRow & { files: ShareFile[] };
export type ActivationCheck = made.ActivationCheck & { invited_by?: string | null; waiting_shares?: number };

export type {
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
  Site,
  Thumbnail,
  Upload,
  Urgency,
} from "./schema";
