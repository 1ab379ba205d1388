import { setTimeout as sleep } from 'node:timers/promises';
import { apiErrorBodySchema, type ModelObject, modelListSchema } from '#contracts';
import type { z } from 'zod';
import { authorization, type Connection } from './connection.js';
import { CommandError, EXIT } from './exit-codes.js';
import { postPatiently } from './post-patiently.js';

/** Longest an answer to a short question is waited for, ms. */
const ANSWER_MS = 30_000;
/** Longer than `fetch` itself waits. */
const NEVER_MS = 3_600_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;
/** Of a gateway in front of the API, too. */
const PASSING = new Set([429, 500, 502, 503, 504]);

export interface RestOptions {
  /** Ends every request. */
  readonly signal?: AbortSignal | undefined;
  /** How long one that fails for a passing reason is tried again, ms; 0: not at all. */
  readonly patienceMs?: number;
  /** Told why something has to wait, and, with null, that it has not any more. */
  readonly onWait?: (reason: string | null) => void;
}

/** The service understood and said no. */
export class RequestError extends CommandError {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;

  constructor(status: number, message: string, code: string, param: string | null) {
    super(EXIT.error, message);
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

/** A request that may succeed later. */
interface Passing {
  readonly reason: string;
  readonly error: CommandError;
  /** The service lives, and is only busy. */
  readonly busy: boolean;
  /** As the service said; 0: it did not. */
  readonly retryAfterMs: number;
}

/** Speaks with a deployment's REST interface. */
export class Rest {
  readonly connection: Connection;
  readonly #options: RestOptions;

  constructor(connection: Connection, options: RestOptions = {}) {
    this.connection = connection;
    this.#options = options;
  }

  get url(): string {
    return this.connection.url;
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal;
  }

  /** @throws CommandError as `ask`, and when the answer has another form */
  async json<S extends z.ZodType>(schema: S, path: string, init: RequestInit = {}): Promise<z.output<S>> {
    const response = await this.ask(path, init, ANSWER_MS);
    const parsed = schema.safeParse(await response.json().catch(() => null));
    if (!parsed.success) throw new CommandError(EXIT.error, `what answers at ${this.url} is no Embedmill`);
    return parsed.data;
  }

  /** Served models. */
  async models(): Promise<ModelObject[]> {
    return (await this.json(modelListSchema, '/v1/models')).data;
  }

  /**
   * @param answerMs longest that the head of one answer may take; absent: as `fetch` likes, five minutes
   * @returns an answer with a status of 2xx
   * @throws RequestError when the service says no; CommandError when it refuses the key or cannot be reached
   */
  ask(path: string, init: RequestInit = {}, answerMs?: number): Promise<Response> {
    return this.#persist(`${init.method ?? 'GET'} ${path.split('?')[0]}`, async () => {
      const late = new AbortController();
      const timer = setTimeout(() => late.abort(new Error(`not within ${answerMs! / 1000} s`)), answerMs ?? NEVER_MS);
      try {
        return await fetch(`${this.url}${path}`, {
          ...init,
          headers: { ...(init.headers as Record<string, string> | undefined), ...authorization(this.connection.key) },
          signal: AbortSignal.any([late.signal, ...(this.signal === undefined ? [] : [this.signal])]),
        });
      } finally {
        clearTimeout(timer);
      }
    });
  }

  /**
   * Posts lines of JSON, and waits for the answer as long as the service slows the upload down.
   * @returns and throws as `ask`
   */
  upload(path: string, lines: string): Promise<Response> {
    const headers = { 'content-type': 'application/x-ndjson', ...authorization(this.connection.key) };
    return this.#persist(`POST ${path.split('?')[0]}`, () =>
      postPatiently(`${this.url}${path}`, headers, lines, this.signal),
    );
  }

  /**
   * Sends until there is an answer, as long as `patienceMs` allows; while the service says 429 it lives, and is waited
   * for without an end.
   */
  async #persist(what: string, send: () => Promise<Response>): Promise<Response> {
    const { onWait, patienceMs = 0, signal } = this.#options;
    let failingSince: number | null = null;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#try(what, send);
      if (outcome instanceof Response) {
        if (attempt > 0) onWait?.(null);
        return outcome;
      }
      const now = performance.now();
      failingSince = outcome.busy ? null : (failingSince ?? now);
      if (patienceMs === 0 || (failingSince !== null && now - failingSince >= patienceMs)) throw outcome.error;
      onWait?.(outcome.reason);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempt, LONGEST_PAUSE_MS);
      await sleep(Math.max(outcome.retryAfterMs, pauseMs), undefined, signal === undefined ? {} : { signal });
    }
  }

  async #try(what: string, send: () => Promise<Response>): Promise<Response | Passing> {
    let response;
    try {
      response = await send();
    } catch (error) {
      this.signal?.throwIfAborted();
      const reason = `nothing answers at ${this.url} (${reasonOf(error)})`;
      return {
        reason,
        error: new CommandError(EXIT.unreachable, `${reason}; give its address with --url`, { cause: error }),
        busy: false,
        retryAfterMs: 0,
      };
    }
    return response.ok ? response : this.#refusal(response, what);
  }

  /** @throws what no waiting will change */
  async #refusal(response: Response, what: string): Promise<Passing> {
    const { status } = response;
    const text = await response.text().catch(() => '');
    const body = apiErrorBodySchema.safeParse(parseJson(text)).data?.error;
    const message = body?.message ?? '';
    if (status === 401 || status === 403) {
      const way = this.connection.key === undefined ? 'give a key with --key' : message || 'the key is not accepted';
      throw new CommandError(EXIT.refused, `${this.url} answers ${status}: ${way}`);
    }
    const error = new RequestError(
      status,
      message === '' ? `${what}: ${this.url} answers ${status}` : message,
      body?.code ?? '',
      body?.param ?? null,
    );
    if (!PASSING.has(status)) throw error;
    return {
      reason: message === '' ? `${this.url} answers ${status}` : message,
      error: status === 503 ? new CommandError(EXIT.unreachable, error.message, { cause: error }) : error,
      busy: status === 429,
      retryAfterMs: retryAfterMs(response.headers.get('retry-after')),
    };
  }
}

/** Seconds, or a date. */
function retryAfterMs(header: string | null): number {
  if (header === null) return 0;
  const ms = /^\d+$/.test(header) ? 1000 * Number(header) : Date.parse(header) - Date.now();
  return ms > 0 ? ms : 0;
}

/** `ECONNREFUSED`: fetch itself only says that it failed. */
function reasonOf(error: unknown): string {
  const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
  return cause?.code ?? cause?.message ?? message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
