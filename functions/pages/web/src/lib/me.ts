// Who has signed in, for pages that nobody else sees.

import type { Me } from "../api/types";
import { session } from "./session";
import { useShared } from "./state";

export function useMe(): Me {
  const now = useShared(session);
  if (now.state !== "in") throw new Error("this page is for whoever has signed in");
  return now.me;
}
