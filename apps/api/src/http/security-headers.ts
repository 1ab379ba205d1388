import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { isSecure } from './is-secure.js';

const YEAR_SECONDS = 31_536_000;

/**
 * Sends the security headers of OWASP's HTTP headers cheat sheet. The default content security policy allows nothing;
 * routes that serve pages replace it with their own.
 */
export function sendSecurityHeaders(server: FastifyInstance): void {
  server.register(helmet, {
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false,
  });
  server.addHook('onRequest', (request, reply, done) => {
    // Only over TLS (RFC 6797, section 7.2), which may terminate at a proxy.
    if (isSecure(request)) void reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`);
    done();
  });
}
