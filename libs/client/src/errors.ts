/** Whatever goes wrong between this client and a deployment. An abort is no such error: it throws the signal's reason. */
export class EmbedmillError extends Error {
  override readonly name: string = 'EmbedmillError';
}

export interface ApiErrorFields {
  readonly status: number;
  readonly code: string;
  readonly param: string | null;
  readonly requestId: string | null;
  readonly retryAfterMs: number | null;
  readonly details: Readonly<Record<string, unknown>>;
  readonly url: string;
  readonly keySent: boolean;
}

/**
 * The service, or something in front of it, answered with an error status.
 *
 * @example
 * try {
 *   await client.jobs.get(id);
 * } catch (error) {
 *   if (error instanceof EmbedmillApiError && error.code === 'job_not_found') return null;
 *   throw error;
 * }
 */
export class EmbedmillApiError extends EmbedmillError {
  override readonly name = 'EmbedmillApiError';
  /** HTTP status. */
  readonly status: number;
  /** Stable and machine-readable, as `job_not_found`; `''` when the answer is none of Embedmill's. */
  readonly code: string;
  /** The field at fault, as `input[3]`, `line 7` or `dimensions`; null when it is no field. */
  readonly param: string | null;
  /** `x-request-id` of the answer: what the service's logs call the request. */
  readonly requestId: string | null;
  /** What `Retry-After` asks to wait, ms; null without that header. */
  readonly retryAfterMs: number | null;
  /** Further members of the error, as `job_id` and `accepted` of an upload that broke off. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The deployment's base URL. */
  readonly url: string;
  /** Whether the request had an API key with it. */
  readonly keySent: boolean;

  constructor(message: string, fields: ApiErrorFields) {
    super(message);
    this.status = fields.status;
    this.code = fields.code;
    this.param = fields.param;
    this.requestId = fields.requestId;
    this.retryAfterMs = fields.retryAfterMs;
    this.details = fields.details;
    this.url = fields.url;
    this.keySent = fields.keySent;
  }
}

interface ConnectionErrorFields {
  readonly url: string;
  readonly reason: string;
  readonly answered: boolean;
  readonly cause: unknown;
}

/** No answer came, or not all of it: nothing listens there, the connection broke, or it took longer than allowed. */
export class EmbedmillConnectionError extends EmbedmillError {
  override readonly name = 'EmbedmillConnectionError';
  /** The deployment's base URL. */
  readonly url: string;
  /** `ECONNREFUSED`, `not within 30 s`, … */
  readonly reason: string;
  /** Whether an answer had begun. */
  readonly answered: boolean;

  constructor({ answered, cause, reason, url }: ConnectionErrorFields) {
    super(answered ? `the answer of ${url} broke off (${reason})` : `nothing answers at ${url} (${reason})`, { cause });
    this.url = url;
    this.reason = reason;
    this.answered = answered;
  }
}

/** Something answered, and not in Embedmill's words: most likely another service has that address. */
export class EmbedmillProtocolError extends EmbedmillError {
  override readonly name = 'EmbedmillProtocolError';
  /** The deployment's base URL. */
  readonly url: string;

  constructor(url: string, message = `what answers at ${url} is no Embedmill`, options?: ErrorOptions) {
    super(message, options);
    this.url = url;
  }
}
