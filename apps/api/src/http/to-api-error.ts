import { HttpException } from '@nestjs/common';
import { KeyRefusedError } from '#access';
import { ApiError } from '#contracts';
import { isRedisAway } from '#store';
import { unsupportedType } from './unsupported-type.js';

/** `Retry-After` while Redis is unavailable, s. */
const RETRY_AFTER_SECONDS = 2;

const CHALLENGE = { 'www-authenticate': 'Bearer realm="embedmill"' };

/** Values that error messages mention. */
export interface ErrorContext {
  /** Limit of a JSON body. */
  readonly maxBodyBytes?: number;
  /** What a Redis outage means for this request, and what the client should do. */
  readonly consequence?: string;
}

/** Converts any error to an ApiError. Unknown errors become a 500 whose message reveals nothing internal. */
export function toApiError(error: unknown, context: ErrorContext = {}): ApiError {
  if (error instanceof ApiError) return error;
  if (error instanceof KeyRefusedError) return fromRefusal(error);
  if (isRedisAway(error)) {
    return new ApiError({
      status: 503,
      code: 'queue_unavailable',
      message: `The queue cannot be reached at the moment. ${context.consequence ?? 'Nothing was accepted; try again.'}`,
      retryAfter: RETRY_AFTER_SECONDS,
      cause: error,
    });
  }
  if (error instanceof HttpException) return fromHttpException(error, context);
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return new ApiError({ status, code: 'bad_request', message: (error as Error).message });
  }
  return new ApiError({
    status: 500,
    code: 'internal_error',
    message: 'Something went wrong in the service.',
    cause: error,
  });
}

function fromRefusal({ code, message }: KeyRefusedError): ApiError {
  if (code === 'insufficient_scope') return new ApiError({ status: 403, code, message });
  return new ApiError({ status: 401, code, message, headers: CHALLENGE });
}

/** The error for a URL that cannot be parsed. */
export function badUrl(cause: Error): ApiError {
  return new ApiError({ status: 400, code: 'bad_url', message: 'The URL is not a valid one.', cause });
}

/** Converts exceptions that Nest throws, and the errors of the HTTP server that it wraps. */
function fromHttpException(error: HttpException, { maxBodyBytes = Infinity }: ErrorContext): ApiError {
  const status = error.getStatus();
  switch (status) {
    case 404:
      return new ApiError({ status, code: 'not_found', message: `${error.message}. The routes are listed at /docs.` });
    case 413:
      return new ApiError({
        status,
        code: 'body_too_large',
        message:
          `The body has more than ${maxBodyBytes} bytes (EMBED_MAX_BODY_BYTES). ` +
          'POST /v1/jobs takes application/x-ndjson of any length.',
      });
    case 415:
      return unsupportedType();
    default:
      return new ApiError({ status, code: 'bad_request', message: error.message });
  }
}
