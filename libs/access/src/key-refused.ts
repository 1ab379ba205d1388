import type { Scope } from '#contracts';

export type RefusalCode =
  'missing_api_key' | 'invalid_api_key' | 'api_key_expired' | 'api_key_revoked' | 'insufficient_scope';

/** A request is refused: it has no valid API key, or the key lacks a scope. The message says which. */
export class KeyRefusedError extends Error {
  override readonly name = 'KeyRefusedError';
  /** Stable and machine-readable. */
  readonly code: RefusalCode;

  constructor(code: RefusalCode, message: string) {
    super(message);
    this.code = code;
  }
}

export function missingKey(): KeyRefusedError {
  return new KeyRefusedError(
    'missing_api_key',
    'This deployment asks for an API key. Send it as "Authorization: Bearer em_…".',
  );
}

export function invalidKey(): KeyRefusedError {
  return new KeyRefusedError(
    'invalid_api_key',
    'There is no such API key. Keys begin with "em_"; an operator can make one.',
  );
}

export function expiredKey(expiredAt: number): KeyRefusedError {
  return new KeyRefusedError('api_key_expired', `This API key expired at ${new Date(expiredAt).toISOString()}.`);
}

export function revokedKey(): KeyRefusedError {
  return new KeyRefusedError('api_key_revoked', 'This API key has been revoked.');
}

export function missingScope(scope: Scope, has: readonly Scope[]): KeyRefusedError {
  const own = has.map((one) => `"${one}"`).join(', ');
  return new KeyRefusedError('insufficient_scope', `This needs an API key with scope "${scope}"; yours has ${own}.`);
}
