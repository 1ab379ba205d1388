import type { FastifyRequest } from 'fastify';

/** Whether the client connected by TLS, to this process or to a proxy in front of it. */
export function isSecure({ headers, protocol }: FastifyRequest): boolean {
  // A chain of proxies lists the protocol that each of them saw, the client's first.
  return protocol === 'https' || /^https\b/.test(String(headers['x-forwarded-proto']));
}
