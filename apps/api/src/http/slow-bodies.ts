import { ApiError } from '#contracts';
import type { FastifyInstance } from 'fastify';

/** An upload, or a body, that did not come in time. */
export function bodyTimeout(timeoutMs: number): ApiError {
  return new ApiError({
    status: 408,
    code: 'body_timeout',
    message: `The body did not come within ${timeoutMs / 1000} s (EMBED_BODY_TIMEOUT_MS).`,
  });
}

/**
 * Ends requests whose JSON body trickles in without end: each would hold a connection and a part of a body for ever.
 * Uploads of lines may take as long as they like, while something comes (see `Upload`).
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
