import type { ApiErrorBody } from '#contracts';
import { EmbedmillApiError } from './errors.js';

/** The request, as errors name it. */
export interface Asked {
  readonly method: string;
  /** Without the query string. */
  readonly path: string;
  /** The deployment's base URL. */
  readonly url: string;
  readonly keySent: boolean;
}

/**
 * Makes the error for a response with an error status.
 * @param text the response's body; from a gateway in front of the service, it may be anything
 */
export function apiErrorOf(
  response: Pick<Response, 'status' | 'headers'>,
  text: string,
  asked: Asked,
): EmbedmillApiError {
  const { headers, status } = response;
  const { message, code, param, details } = membersOf(text);
  const { keySent, method, path, url } = asked;
  const location = status >= 300 && status < 400 ? headers.get('location') : null;
  const elsewhere = location === null ? '' : `; it points to ${location}`;
  return new EmbedmillApiError(message ?? `${url} answers ${status} to ${method} ${path}${elsewhere}`, {
    status,
    code,
    param,
    requestId: headers.get('x-request-id'),
    retryAfterMs: retryAfterMs(headers.get('retry-after'), Date.now()),
    details,
    url,
    keySent,
  });
}

/**
 * Reads `Retry-After` (RFC 9110, 10.2.3): seconds, or a date.
 * @param now epoch ms
 * @returns ms from now; null when the header is missing or invalid
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  const ms = /^\d+$/.test(header) ? 1000 * Number(header) : Date.parse(header) - now;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

function membersOf(text: string) {
  const { code, message, param, type: _, ...details } = errorIn(text) ?? {};
  return {
    message: typeof message === 'string' && message !== '' ? message : null,
    code: typeof code === 'string' ? code : '',
    param: typeof param === 'string' ? param : null,
    details,
  };
}

/** `{error: {message, type, param, code, …}}`, any of which may be missing. */
function errorIn(text: string): Partial<ApiErrorBody['error']> | null {
  try {
    const error = (JSON.parse(text) as Partial<ApiErrorBody> | null)?.error;
    return typeof error === 'object' ? error : null;
  } catch {
    return null;
  }
}
