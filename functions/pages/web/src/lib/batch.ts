// Many small questions that come within a moment, asked as one.

export class Batch<K extends string, V> {
  readonly #ask: (keys: K[]) => Promise<Map<K, V>>;
  readonly #most: number;
  readonly #known = new Map<K, Promise<V | undefined>>();
  #waiting: { key: K; resolve: (value: V | undefined) => void; reject: (error: unknown) => void }[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Of at most so many at once. What has no answer is `undefined`. */
  constructor(most: number, ask: (keys: K[]) => Promise<Map<K, V>>) {
    this.#most = most;
    this.#ask = ask;
  }

  /** The answer; one that is there already is not asked for again. */
  get(key: K): Promise<V | undefined> {
    const known = this.#known.get(key);
    if (known) return known;
    const answer = new Promise<V | undefined>((resolve, reject) => {
      this.#waiting.push({ key, resolve, reject });
      this.#timer ??= setTimeout(() => this.#flush(), 20);
    });
    this.#known.set(key, answer);
    // What failed may be asked for again.
    answer.catch(() => this.#known.delete(key));
    return answer;
  }

  /** An answer is no longer good. */
  forget(key: K): void {
    this.#known.delete(key);
  }

  #flush(): void {
    this.#timer = undefined;
    while (this.#waiting.length) {
      const asked = this.#waiting.splice(0, this.#most);
      this.#ask(asked.map(({ key }) => key)).then(
        (answers) => asked.forEach(({ key, resolve }) => resolve(answers.get(key))),
        (error: unknown) => asked.forEach(({ reject }) => reject(error)),
      );
    }
  }
}
