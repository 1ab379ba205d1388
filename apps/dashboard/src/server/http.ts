import type { ApiErrorBody } from '#contracts';
import { csrfToken, forgetSession } from './session.js';

/** An error response, or no response; the message is for users. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** HTTP status; 0 when there was no response. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** The message of an error, for users. */
export function messageOf(error: unknown): string {
  return error instanceof Failure ? error.message : String(error);
}

/** @throws Failure */
export function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  return ask<T>(path, signal === undefined ? {} : { signal });
}

/** Sends a request that changes something, with the session's CSRF token. @throws Failure */
export function send<T>(method: 'POST' | 'DELETE', path: string, body?: object): Promise<T> {
  const token = csrfToken();
  return ask<T>(path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === null ? {} : { 'x-csrf-token': token }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function ask<T>(path: string, init: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { ...init, credentials: 'same-origin', cache: 'no-store' });
  } catch (error) {
    if (init.signal?.aborted === true) throw error;
    throw new Failure(0, 'The API does not answer.');
  }
  if (response.status === 401) forgetSession();
  if (!response.ok) throw new Failure(response.status, await reasonOf(response));
  return (response.status === 204 ? undefined : await response.json()) as T;
}

async function reasonOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as ApiErrorBody).error.message;
  } catch {
    return `The API answered ${response.status}.`;
  }
}
