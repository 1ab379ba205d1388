import { baseUrlOf } from './base-url.js';
import { type EmbedmillConnectionError, EmbedmillProtocolError } from './errors.js';
import type { Fetch } from './fetch.js';
import { pause } from './pause.js';
import { mayPass, Patience, type Repeat, type RetryPolicy } from './retry.js';
import { type Outgoing, sendOnce } from './send-once.js';

/** How to reach a deployment. */
export interface TransportOptions {
  /** Such as `http://127.0.0.1:8080`; a trailing `/v1` is removed. */
  readonly baseUrl: string;
  /** Sent as a bearer token; absent: no key is sent. */
  readonly apiKey?: string | undefined;
  /** Default: the platform's `fetch`. In Node, `nodeFetch` waits for slow uploads without a time limit. */
  readonly fetch?: Fetch | undefined;
  /** Sent with every request, for example `{'x-request-id': 'nightly-17'}`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: transient failures are retried for 30 s. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Maximum time for a response, ms; the time that the service may hold the request is added. Uploads, and reading a
   * stream, have no limit. Default 30,000.
   */
  readonly answerTimeoutMs?: number | undefined;
  /** Aborts every request of this client; methods throw the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of every method. */
export interface CallOptions {
  /** Aborts this request; the method throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Query parameters; those that are undefined or null are omitted. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** One request, with all its attempts. */
export interface Call extends CallOptions {
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Without the query string. */
  readonly path: string;
  readonly query?: Query;
  readonly contentType?: string;
  /** Called for each attempt. */
  readonly body?: () => string | ReadableStream<Uint8Array>;
  /** Default `always`. */
  readonly repeat?: Repeat;
  /** Time that the service may hold the request, ms, added to `answerTimeoutMs`; Infinity: no limit. Default 0. */
  readonly heldMs?: number;
  /** Statuses other than 2xx that are not errors. Default: none. */
  readonly accept?: readonly number[];
}

const DEFAULT_ANSWER_TIMEOUT_MS = 30_000;

/** Sends requests to a deployment, and retries transient failures. */
export class Transport {
  readonly baseUrl: string;
  readonly #options: TransportOptions;
  readonly #fetch: Fetch;

  /** @throws TypeError when `baseUrl` is not an http or https URL */
  constructor(options: TransportOptions) {
    this.baseUrl = baseUrlOf(options.baseUrl);
    this.#options = options;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /**
   * Sends a request and reads its JSON response.
   * @param isOurs whether the body is what Embedmill returns for this request, and not the response of another service
   * @throws EmbedmillError, or the reason of a signal
   */
  json<T>(call: Call, isOurs: (body: Partial<T>) => boolean): Promise<{ body: T; headers: Headers }> {
    return this.#persist(call, async (answer) => {
      const body = parsed(await answer.text()) as T | null;
      if (typeof body !== 'object' || body === null || !isOurs(body)) throw new EmbedmillProtocolError(this.baseUrl);
      return { body, headers: answer.headers };
    });
  }

  /**
   * Sends a request and returns the response's body, which the caller reads at its own pace. Failures before the
   * response begins are retried.
   * @throws EmbedmillError, or the reason of a signal
   */
  stream(call: Call): Promise<ReadableStream<Uint8Array>> {
    return this.#persist(call, async ({ body }) => {
      if (body === null) throw new EmbedmillProtocolError(this.baseUrl);
      return body;
    });
  }

  /** The signal that aborts a call: its own, the client's, or both combined. */
  signalOf({ signal }: CallOptions): AbortSignal | undefined {
    const signals = [signal, this.#options.signal].filter((one) => one !== undefined);
    return signals.length > 1 ? AbortSignal.any(signals) : signals[0];
  }

  async #persist<T>(call: Call, read: (answer: Response) => Promise<T>): Promise<T> {
    const { retry = {} } = this.#options;
    const signal = this.signalOf(call);
    const patience = new Patience(retry);
    for (let isFirst = true; ; isFirst = false) {
      try {
        const result = await sendOnce(this.#outgoing(call, signal), read);
        if (!isFirst) retry.onWait?.(null);
        return result;
      } catch (error) {
        const pauseMs = mayPass(error, call.repeat ?? 'always') ? patience.pauseAfter(error, performance.now()) : null;
        if (pauseMs === null) throw error;
        retry.onWait?.(error as EmbedmillConnectionError);
        await pause(pauseMs, signal);
      }
    }
  }

  #outgoing(call: Call, signal: AbortSignal | undefined): Outgoing {
    const { accept = [], contentType, heldMs = 0, method = 'GET', path, query = {} } = call;
    const { answerTimeoutMs = DEFAULT_ANSWER_TIMEOUT_MS, apiKey, headers } = this.#options;
    const body = call.body?.();
    return {
      fetch: this.#fetch,
      url: `${this.baseUrl}${path}${queryOf(query)}`,
      init: {
        method,
        headers: {
          ...headers,
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
          ...(contentType === undefined ? {} : { 'content-type': contentType }),
        },
        ...(body === undefined ? {} : { body }),
        ...(typeof body === 'object' ? { duplex: 'half' as const } : {}),
      },
      accept,
      timeoutMs: answerTimeoutMs + heldMs,
      signal,
      asked: { method, path, url: this.baseUrl, keySent: apiKey !== undefined },
    };
  }
}

/** `?a=1&b=x`, or `''`. */
function queryOf(members: Query): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) {
    if (value !== undefined && value !== null) query.set(name, String(value));
  }
  return query.size === 0 ? '' : `?${query}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
