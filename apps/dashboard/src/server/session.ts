import { signal } from '@preact/signals';
import type { Session } from '#contracts';

/** `null`: not asked yet. */
export const session = signal<Session | null>(null);

export function csrfToken(): string | null {
  return session.value?.csrf_token ?? null;
}

/** The API no longer knows who we are: an expired session, or a revoked key. */
export function forgetSession(): void {
  const known = session.value;
  if (known?.signed_in === true) session.value = { ...known, signed_in: false, key_name: null, csrf_token: null };
}
