import { ApiError } from '#contracts';

export function keyInUrl(): ApiError {
  return new ApiError({
    status: 400,
    code: 'api_key_in_url',
    message:
      'The URL holds an API key. URLs end in logs: revoke this key by its id, and send keys in the Authorization header only.',
  });
}

export function crossSite(): ApiError {
  return new ApiError({
    status: 403,
    code: 'cross_site_request',
    message: 'A page of another site asked for this. Name its origin in EMBED_CORS_ORIGINS to allow that.',
  });
}

export function badCsrfToken(): ApiError {
  return new ApiError({
    status: 403,
    code: 'invalid_csrf_token',
    message: 'The header x-csrf-token is not that of this sign-in. Load the dashboard again.',
    param: 'x-csrf-token',
  });
}

export function unauthenticatedBody(mostBytes: number): ApiError {
  return new ApiError({
    status: 413,
    code: 'body_too_large',
    message: `A body sent here has at most ${mostBytes} bytes, and says in Content-Length how many.`,
  });
}

export function foreignHost(host: string): ApiError {
  return new ApiError({
    status: 403,
    code: 'foreign_host',
    message:
      `The request is for host ${JSON.stringify(host)}, but this service asks nobody for a key since it listens on ` +
      'loopback only. Behind a proxy set EMBED_AUTH=on, or EMBED_AUTH=off to do without keys there, too.',
  });
}

export function tooManySignIns(retryAfter: number): ApiError {
  return new ApiError({
    status: 429,
    code: 'too_many_sign_ins',
    message: 'Too many attempts to sign in from this address. Wait a minute.',
    retryAfter,
  });
}
