import { HttpException } from '@nestjs/common';
import { KeyRefusedError } from '#access';
import { ApiError } from '#contracts';
import { isRedisAway } from '#store';
import { unsupportedType } from './unsupported-type.js';

/** What a client may try again after, while Redis is away, s. */
const RETRY_AFTER_SECONDS = 2;

const CHALLENGE = { 'www-authenticate': 'Bearer realm="embedmill"' };

/** What an error's words depend on. */
export interface ErrorContext {
  /** Largest JSON body. */
  readonly maxBodyBytes?: number;
  /** Of an outage, and what to do. */
  readonly consequence?: string;
}

/** Any error as one with a status and OpenAI's shape. What is nobody else's fault becomes a 500 that tells no secrets. */
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

/** For a URL that is none. */
export function badUrl(cause: Error): ApiError {
  return new ApiError({ status: 400, code: 'bad_url', message: 'The URL is not a valid one.', cause });
}

/** What Nest throws, and what it makes of the HTTP server's own errors. */
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
