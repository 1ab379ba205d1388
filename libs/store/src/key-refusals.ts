import { ApiError, type Scope } from '#contracts';

const CHALLENGE = { 'www-authenticate': 'Bearer realm="embedmill"' };

export function missingKey(): ApiError {
  return new ApiError({
    status: 401,
    code: 'missing_api_key',
    message: 'This deployment asks for an API key. Send it as "Authorization: Bearer em_…".',
    headers: CHALLENGE,
  });
}

export function invalidKey(): ApiError {
  return new ApiError({
    status: 401,
    code: 'invalid_api_key',
    message: 'There is no such API key. Keys begin with "em_"; an operator can make one.',
    headers: CHALLENGE,
  });
}

export function expiredKey(expiredAt: number): ApiError {
  return new ApiError({
    status: 401,
    code: 'api_key_expired',
    message: `This API key expired at ${new Date(expiredAt).toISOString()}.`,
    headers: CHALLENGE,
  });
}

export function revokedKey(): ApiError {
  return new ApiError({
    status: 401,
    code: 'api_key_revoked',
    message: 'This API key has been revoked.',
    headers: CHALLENGE,
  });
}

export function missingScope(scope: Scope, has: readonly Scope[]): ApiError {
  return new ApiError({
    status: 403,
    code: 'insufficient_scope',
    message: `This needs an API key with scope "${scope}"; yours has ${has.map((one) => `"${one}"`).join(', ')}.`,
  });
}
