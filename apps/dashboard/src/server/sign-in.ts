import type { Session } from '#contracts';
import { get, send } from './http.js';
import { session } from './session.js';

const PATH = '/dashboard/session';

/** Asks whether a key is needed at all, and whether we are known. @throws Failure */
export async function askSession(): Promise<void> {
  session.value = await get<Session>(PATH);
}

/** The key goes into the request's body and becomes an http-only cookie; the page keeps nothing. @throws Failure */
export async function signIn(key: string): Promise<void> {
  session.value = await send<Session>('POST', PATH, { key });
}

/** @throws Failure */
export async function signOut(): Promise<void> {
  await send('DELETE', PATH);
  await askSession();
}
