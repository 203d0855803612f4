// Whether there is a network, as far as the browser knows.

import { Shared } from "./state";

export const online = new Shared(navigator.onLine);

addEventListener("online", () => online.set(true));
addEventListener("offline", () => online.set(false));
