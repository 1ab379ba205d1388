import type { FastifyInstance } from 'fastify';
import { isSecure } from '../access/session-cookie.js';

const YEAR_SECONDS = 31_536_000;

/** What a page may do that answers with anything but the dashboard: nothing. */
const NOTHING = "default-src 'none'; frame-ancestors 'none'";

/**
 * Headers that keep browsers from making more of an answer than it is (OWASP's HTTP headers cheat sheet). Routes that
 * serve pages say themselves what their pages may do.
 */
export function sendSecurityHeaders(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    void reply
      .header('x-content-type-options', 'nosniff')
      .header('x-frame-options', 'DENY')
      .header('referrer-policy', 'no-referrer')
      .header('cross-origin-resource-policy', 'same-origin');
    const { url = '' } = request.routeOptions;
    if (!url.startsWith('/docs') && !url.startsWith('/dashboard'))
      void reply.header('content-security-policy', NOTHING);
    if (isSecure(request)) void reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`);
    done();
  });
}
