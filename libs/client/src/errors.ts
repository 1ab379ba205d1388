/** Base class of this client's errors. An aborted call does not throw one of them, but the signal's reason. */
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
 * The service, or a gateway in front of it, responded with an error status.
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
  /** Stable, machine-readable code, such as `job_not_found`; `''` when the response is not Embedmill's. */
  readonly code: string;
  /** The invalid field, such as `input[3]`, `line 7` or `dimensions`; null when the error is not about a field. */
  readonly param: string | null;
  /** `x-request-id` of the response: it identifies the request in the service's logs. */
  readonly requestId: string | null;
  /** Time to wait according to `Retry-After`, ms; null without that header. */
  readonly retryAfterMs: number | null;
  /** Further members of the error, such as `job_id` and `accepted` of an interrupted upload. */
  readonly details: Readonly<Record<string, unknown>>;
  /** The deployment's base URL. */
  readonly url: string;
  /** Whether the request had an API key. */
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

/** No response, or an incomplete one: nothing listens there, the connection broke, or a time limit was exceeded. */
export class EmbedmillConnectionError extends EmbedmillError {
  override readonly name = 'EmbedmillConnectionError';
  /** The deployment's base URL. */
  readonly url: string;
  /** `ECONNREFUSED`, `not within 30 s`, … */
  readonly reason: string;
  /** Whether the response had begun. */
  readonly answered: boolean;

  constructor({ answered, cause, reason, url }: ConnectionErrorFields) {
    super(answered ? `the answer of ${url} broke off (${reason})` : `nothing answers at ${url} (${reason})`, { cause });
    this.url = url;
    this.reason = reason;
    this.answered = answered;
  }
}

/** The response is not Embedmill's: most likely another service has that address. */
export class EmbedmillProtocolError extends EmbedmillError {
  override readonly name = 'EmbedmillProtocolError';
  /** The deployment's base URL. */
  readonly url: string;

  constructor(url: string, message = `what answers at ${url} is no Embedmill`, options?: ErrorOptions) {
    super(message, options);
    this.url = url;
  }
}
