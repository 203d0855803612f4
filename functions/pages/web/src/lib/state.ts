// A value that several components share.

import { useEffect, useRef, useState } from "preact/hooks";

export class Shared<T> {
  readonly #listeners = new Set<(value: T) => void>();
  #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  get(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const listener of [...this.#listeners]) listener(value);
  }

  subscribe(listener: (value: T) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** The value; the component is drawn again when it is another. */
export function useShared<T>(shared: Shared<T>): T {
  const [, draw] = useState({});
  const value = shared.get();
  const drawn = useRef(value);
  drawn.current = value;
  useEffect(() => {
    // It may have changed between the drawing and now.
    if (!Object.is(drawn.current, shared.get())) draw({});
    return shared.subscribe(() => draw({}));
  }, [shared]);
  return value;
}
