import type { CookieSerializeOptions } from '@fastify/cookie';
import type { FastifyRequest } from 'fastify';

export const SESSION_COOKIE = 'embedmill_session';
export const SESSION_SECONDS = 12 * 3600;

/** No script reads it, no other site has it sent. */
export function sessionCookie(request: FastifyRequest): CookieSerializeOptions {
  return { httpOnly: true, sameSite: 'strict', path: '/', secure: isSecure(request), maxAge: SESSION_SECONDS };
}

/** Whether the browser came by TLS, to this process or to a proxy before it. */
export function isSecure({ headers, protocol }: FastifyRequest): boolean {
  // A chain of proxies lists what each of them saw, the browser's side first.
  return protocol === 'https' || /^https\b/.test(String(headers['x-forwarded-proto']));
}
