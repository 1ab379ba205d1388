import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'embedmill_session';
export const SESSION_SECONDS = 12 * 3600;

/** Scripts cannot read the cookie (`httpOnly`), and browsers do not send it with cross-site requests (`sameSite`). */
export function sessionCookie(request: FastifyRequest): CookieSerializeOptions {
  return { httpOnly: true, sameSite: 'strict', path: '/', secure: isSecure(request), maxAge: SESSION_SECONDS };
}

/** Whether the client connected by TLS, to this process or to a proxy in front of it. */
export function isSecure({ headers, protocol }: FastifyRequest): boolean {
  // A chain of proxies lists the protocol that each of them saw, the client's first.
  return protocol === 'https' || /^https\b/.test(String(headers['x-forwarded-proto']));
}
