import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import helmet from 'helmet';
import { isSecure } from './is-secure.js';

const YEAR_SECONDS = 31_536_000;

/**
 * Sends Helmet's security headers. Responses other than pages get a policy that allows nothing; routes that serve pages
 * replace it by their own.
 */
export function sendSecurityHeaders(server: FastifyInstance): void {
  const headers = helmetHeaders();
  server.addHook('onRequest', (request, reply, done) => {
    void reply.headers(headers);
    // Only over TLS (RFC 6797, section 7.2), which may end at a proxy.
    if (isSecure(request)) void reply.header('strict-transport-security', `max-age=${YEAR_SECONDS}`);
    done();
  });
}

/** Computed once, since none of them depends on the request. */
function helmetHeaders(): Record<string, string> {
  const setHeaders = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    frameguard: { action: 'deny' },
    strictTransportSecurity: false,
  });
  const request = new IncomingMessage(new Socket());
  const response = new ServerResponse(request);
  setHeaders(request, response, () => {});
  return response.getHeaders() as Record<string, string>;
}
