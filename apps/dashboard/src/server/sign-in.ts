import type { Session } from '#contracts';
import { get, send } from './http.js';
import { session } from './session.js';

const PATH = '/dashboard/session';

/** Loads whether the deployment requires a key, and whether this browser is signed in. @throws Failure */
export async function askSession(): Promise<void> {
  session.value = await get<Session>(PATH);
}

/**
 * Sends the key in the request's body; the API sets an http-only cookie, and the page keeps nothing.
 * @throws Failure
 */
export async function signIn(key: string): Promise<void> {
  session.value = await send<Session>('POST', PATH, { key });
}

/** @throws Failure */
export async function signOut(): Promise<void> {
  await send('DELETE', PATH);
  await askSession();
}
