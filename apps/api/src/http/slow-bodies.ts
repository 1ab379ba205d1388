import { ApiError } from '#contracts';
import type { FastifyInstance } from 'fastify';

/** The error for a body or upload that did not arrive in time. */
export function bodyTimeout(timeoutMs: number): ApiError {
  return new ApiError({
    status: 408,
    code: 'body_timeout',
    message: `The body did not come within ${timeoutMs / 1000} s (EMBED_BODY_TIMEOUT_MS).`,
  });
}

/**
 * Ends requests with 408 whose JSON body is not complete within `timeoutMs`: each would hold a connection and part of a
 * body forever. NDJSON uploads may take any time as long as data keeps arriving (see `Upload`).
 */
export function endSlowBodies(server: FastifyInstance, timeoutMs: number): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '') || raw.complete) return done();
    const timer = setTimeout(() => {
      if (raw.complete || raw.destroyed || reply.sent) return;
      reply.hijack();
      reply.raw.writeHead(408, { 'content-type': 'application/json; charset=utf-8', 'connection': 'close' });
      reply.raw.end(JSON.stringify(bodyTimeout(timeoutMs).toBody()), () => raw.destroy());
    }, timeoutMs);
    raw.once('end', () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
    return done();
  });
}
