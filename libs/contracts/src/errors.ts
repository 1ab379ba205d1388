import { z } from 'zod';

const errorTypeSchema = z.enum([
  'invalid_request_error',
  'authentication_error',
  'permission_error',
  'rate_limit_error',
  'server_error',
]);
export type ApiErrorType = z.infer<typeof errorTypeSchema>;

/** Body of every error response. Some errors have further members beside these four. */
export const apiErrorBodySchema = z.object({
  error: z.looseObject({
    /** Says what to do. */
    message: z.string(),
    type: errorTypeSchema,
    /** The request field at fault, such as `input[3]` or `limit`; null when no field is at fault. */
    param: z.string().nullable(),
    /** Stable and machine-readable. */
    code: z.string(),
  }),
});
export type ApiErrorBody = z.infer<typeof apiErrorBodySchema>;

/** An error in the shape that OpenAI's clients expect. Thrown where found, turned into a response in one place. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly type: ApiErrorType;
  /** Stable and machine-readable. */
  readonly code: string;
  /** The request field at fault, such as `input[3]` or `limit`; null when no field is at fault. */
  readonly param: string | null;
  /** Seconds; sent as `Retry-After`. */
  readonly retryAfter: number | undefined;
  /** Further response headers, e.g. `Location` of a partial job. */
  readonly headers: Readonly<Record<string, string>>;
  /** Further members of the `error` object, e.g. `job_id` and `accepted` of a partial job. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(options: ApiErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = options.status;
    this.type = options.type ?? typeOfStatus(options.status);
    this.code = options.code;
    this.param = options.param ?? null;
    this.retryAfter = options.retryAfter;
    this.headers = options.headers ?? {};
    this.details = options.details ?? {};
  }

  /** The response body: `{error: {message, type, param, code, …details}}`. */
  toBody(): ApiErrorBody {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code, ...this.details } };
  }
}

export interface ApiErrorOptions {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly type?: ApiErrorType;
  readonly param?: string | null;
  readonly retryAfter?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

function typeOfStatus(status: number): ApiErrorType {
  if (status === 401) return 'authentication_error';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}

/** Why a process cannot start: printed as one line before it exits with code 1. */
export class BootError extends Error {
  override readonly name = 'BootError';
}
