// A form that is sent once: while it is on its way it is busy, and what is wrong stands at its fields.

import { useRef, useState } from "preact/hooks";
import { newKey, Refused } from "../api/client";

export interface Sending {
  busy: boolean;
  error: unknown;
  /** What is wrong with a field, in the API's words. */
  wrong: (field: string) => string | undefined;
  /** An error that no field shows. */
  general: (fields: string[]) => unknown;
  onSubmit: (event: Event) => void;
  /** Sends without the form's own button. */
  send: () => void;
}

/** `deed` gets the key of this one deed: sent twice, it is done once. A key ends when the deed is done. */
export function useSending(deed: (key: string) => Promise<unknown>): Sending {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const key = useRef(newKey());
  const going = useRef(false);
  const send = () => {
    if (going.current) return;
    going.current = true;
    setBusy(true);
    setError(undefined);
    deed(key.current)
      .then(() => (key.current = newKey()))
      .catch((error: unknown) => {
        // The same key with another body would be refused: what was answered by a refusal is changed and sent anew.
        if (error instanceof Refused && error.status < 500) key.current = newKey();
        setError(error);
      })
      .finally(() => {
        going.current = false;
        setBusy(false);
      });
  };
  const wrong = (field: string) => (error instanceof Refused ? error.field(field) : undefined);
  return {
    busy,
    error,
    wrong,
    general: (fields) => (fields.some((field) => wrong(field)) ? undefined : error),
    onSubmit: (event) => {
      event.preventDefault();
      send();
    },
    send,
  };
}
