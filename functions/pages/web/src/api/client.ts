// The API client: one function for every route, typed by the API's document.
//
// Reads are tried again by themselves, and so are changes that carry an idempotency key: the API answers those once.
// When a session has ended, the call waits until somebody has signed in again, and goes on.

import type { Problem } from "./types";
import type { paths } from "./schema";

type Method = "get" | "post" | "put" | "patch" | "delete";
type Routes = {
  [P in keyof paths]: { [M in Method]: paths[P][M] extends undefined ? never : `${Uppercase<M>} ${P}` }[Method];
}[keyof paths];
export type Route = Routes;

type Operation<R extends Route> = R extends `${infer M} ${infer P}`
  ? P extends keyof paths
    ? Lowercase<M> extends Method
      ? NonNullable<paths[P][Lowercase<M>]>
      : never
    : never
  : never;
type Content<T> = T extends { content: { "application/json": infer B } } ? B : never;
type Success<T> = T extends { responses: infer A } ? Content<A[keyof A & (200 | 201 | 202)]> : never;
type BodyOf<T> = T extends { requestBody?: infer B } ? Content<NonNullable<B>> : never;
type PartsOf<T> = T extends { parameters: { path: infer X } } ? X : never;
type QueryOf<T> = T extends { parameters: { query?: infer X } } ? NonNullable<X> : never;

export type Answer<R extends Route> = Success<Operation<R>>;
export type BodyFor<R extends Route> = BodyOf<Operation<R>>;

export interface Asking<R extends Route> {
  /** The parts of the path. */
  at?: PartsOf<Operation<R>>;
  query?: QueryOf<Operation<R>> | Record<string, string>;
  body?: BodyFor<R>;
  /** Of one deed of a person, however often it is sent: see `newKey`. */
  key?: string;
  signal?: AbortSignal | undefined;
  /** The tag of the answer that is there already. */
  known?: string | undefined;
  /** Whether nobody need have signed in. */
  isPublic?: boolean;
}

/** The API said no, and why. */
export class Refused extends Error {
  readonly status: number;
  readonly problem: Problem;
  /** In how many seconds to try again, if it says so. */
  readonly retryAfter: number | undefined;

  constructor(status: number, problem: Problem, retryAfter?: number) {
    super(problem.type);
    this.status = status;
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  /** What is wrong with a field, if that is it. */
  field(name: string): string | undefined {
    return this.problem.errors?.find((error) => error.field === name)?.problem;
  }
}

/** Nothing has answered. */
export class Unreachable extends Error {}

/** The answer is as it was. */
export class Unchanged extends Error {}

/** Whether an error is that refusal of the API. */
export function isRefused(error: unknown, ...types: Problem["type"][]): error is Refused {
  return error instanceof Refused && (types.length === 0 || types.includes(error.problem.type));
}

/** What to do when a session has ended: wait for a new one. Whoever shows the sign-in sets it. */
export const onEnded: { wait?: (() => Promise<void>) | undefined } = {};

export function newKey(): string {
  return crypto.randomUUID();
}

const TRIES = 3;

/** The address of a route. */
export function address(route: string, at?: object, query?: object): string {
  const [, path = ""] = route.split(" ");
  const parts = new Map(Object.entries(at ?? {}));
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(parts.get(name))));
  const pairs = Object.entries(query ?? {}).filter(([, value]) => value !== undefined && value !== "");
  const search = new URLSearchParams(pairs.map(([name, value]) => [name, String(value)])).toString();
  return search ? `${filled}?${search}` : filled;
}

/** Asks the API, with the tag of its answer. */
export async function askTagged<R extends Route>(route: R, asking: Asking<R> = {}): Promise<[Answer<R>, string | null]> {
  const mayRepeat = route.startsWith("GET ") || asking.key !== undefined;
  for (let tried = 1; ; tried++) {
    try {
      const response = await send(route, asking);
      return [(response.status === 204 ? undefined : await response.json()) as Answer<R>, response.headers.get("etag")];
    } catch (error) {
      if (isRefused(error, "sign_in_required") && !asking.isPublic && onEnded.wait) {
        await onEnded.wait();
        continue;
      }
      const passes = error instanceof Unreachable || (error instanceof Refused && [429, 500, 503].includes(error.status));
      const wait = error instanceof Refused ? (error.retryAfter ?? tried) : tried;
      if (!mayRepeat || !passes || tried === TRIES || wait > 5 || !navigator.onLine) throw error;
      await pause(wait * 600, asking.signal);
    }
  }
}

/** Asks the API. */
export async function ask<R extends Route>(route: R, asking: Asking<R> = {}): Promise<Answer<R>> {
  return (await askTagged(route, asking))[0];
}

async function send<R extends Route>(route: R, asking: Asking<R>): Promise<Response> {
  const { at, query, body, key, signal, known } = asking;
  const method = route.split(" ")[0] ?? "GET";
  const headers = new Headers();
  if (method !== "GET") headers.set("x-gatehouse", "1");
  const text = body === undefined ? undefined : JSON.stringify(body);
  if (text) headers.set("content-type", "application/json");
  if (key) headers.set("idempotency-key", key);
  if (known) headers.set("if-none-match", known);
  const init: RequestInit = { method, headers, signal: signal ?? null };
  if (text) init.body = text;
  if (known) init.cache = "no-store";
  let response;
  try {
    response = await fetch(address(route, at, query), init);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Unreachable(String(error));
  }
  if (response.status === 304) throw new Unchanged();
  if (!response.ok) throw await refusal(response);
  return response;
}

async function refusal(response: Response): Promise<Error> {
  const seconds = Number(response.headers.get("retry-after")) || undefined;
  try {
    return new Refused(response.status, (await response.json()) as Problem, seconds);
  } catch {
    // Something before the API: it is about as good as no answer.
    return new Unreachable(String(response.status));
  }
}

export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new DOMException("", "AbortError"));
    });
  });
}
