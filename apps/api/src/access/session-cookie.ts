import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';
import { isSecure } from '../http/is-secure.js';

export const SESSION_COOKIE = 'embedmill_session';
export const SESSION_SECONDS = 12 * 3600;

/** Scripts cannot read the cookie (`httpOnly`), and browsers do not send it with cross-site requests (`sameSite`). */
export function sessionCookie(request: FastifyRequest): CookieSerializeOptions {
  return { httpOnly: true, sameSite: 'strict', path: '/', secure: isSecure(request), maxAge: SESSION_SECONDS };
}
