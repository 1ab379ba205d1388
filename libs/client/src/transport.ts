import { baseUrlOf } from './base-url.js';
import { type EmbedmillConnectionError, EmbedmillProtocolError } from './errors.js';
import type { Fetch } from './fetch.js';
import { pause } from './pause.js';
import { mayPass, Patience, type Repeat, type RetryPolicy } from './retry.js';
import { type Outgoing, sendOnce } from './send-once.js';

/** How a deployment is reached. */
export interface TransportOptions {
  /** As `http://127.0.0.1:8080`; a `/v1` at its end is taken off. */
  readonly baseUrl: string;
  /** Sent as a bearer token; absent: none is. */
  readonly apiKey?: string | undefined;
  /** Default: the platform's. In Node, `nodeFetch` waits for slow uploads without a limit. */
  readonly fetch?: Fetch | undefined;
  /** Sent with every request, as `{'x-request-id': 'nightly-17'}`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** Default: passing failures are tried again for 30 s. */
  readonly retry?: RetryPolicy | undefined;
  /** Longest that an answer may take, ms; uploads and long answers have no limit. Default 30,000. */
  readonly answerTimeoutMs?: number | undefined;
  /** Ends every request of this client; methods throw its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of every method. */
export interface CallOptions {
  /** Ends this request; the method throws the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A query's members; those that are undefined or null are left out. */
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** One request, as often as it is sent. */
export interface Call extends CallOptions {
  /** Default `GET`. */
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Without its query. */
  readonly path: string;
  readonly query?: Query;
  readonly contentType?: string;
  /** Made anew for each attempt. */
  readonly body?: () => string | ReadableStream<Uint8Array>;
  /** Default `always`. */
  readonly repeat?: Repeat;
  /** Time that the service may hold the answer, ms, besides the usual limit; Infinity: any. Default 0. */
  readonly heldMs?: number;
  /** Statuses besides 2xx whose body is an answer. Default: none. */
  readonly accept?: readonly number[];
}

const DEFAULT_ANSWER_TIMEOUT_MS = 30_000;

/** Sends requests to a deployment, again when they fail for a passing reason. */
export class Transport {
  readonly baseUrl: string;
  readonly #options: TransportOptions;
  readonly #fetch: Fetch;

  /** @throws TypeError for a `baseUrl` that is no address */
  constructor(options: TransportOptions) {
    this.baseUrl = baseUrlOf(options.baseUrl);
    this.#options = options;
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /**
   * Reads an answer of JSON to its end.
   * @param isOurs whether the answer is what the service gives here, and not what another service does
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
   * The body of an answer, to be read as fast as the caller likes. Failures before its first byte are tried again.
   * @throws EmbedmillError, or the reason of a signal
   */
  stream(call: Call): Promise<ReadableStream<Uint8Array>> {
    return this.#persist(call, async ({ body }) => {
      if (body === null) throw new EmbedmillProtocolError(this.baseUrl);
      return body;
    });
  }

  /** What ends a call: its own signal, or the client's. */
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

/** `?a=1&b=x`, or nothing. */
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
