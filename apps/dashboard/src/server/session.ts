import { signal } from '@preact/signals';
import type { Session } from '#contracts';

/** `null`: not loaded yet. */
export const session = signal<Session | null>(null);

export function csrfToken(): string | null {
  return session.value?.csrf_token ?? null;
}

/** To be called when the API no longer accepts the session: it has expired, or its key is revoked. */
export function forgetSession(): void {
  const known = session.value;
  if (known?.signed_in === true) session.value = { ...known, signed_in: false, key_name: null, csrf_token: null };
}
