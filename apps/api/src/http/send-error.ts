import type { ApiError } from '#contracts';
import type { FastifyReply } from 'fastify';
import { discardRest } from './discard-rest.js';

/** Sends an error as the response, also to a client that has not yet sent its whole body. */
export function sendError(reply: FastifyReply, error: ApiError): void {
  if (error.retryAfter !== undefined) void reply.header('Retry-After', Math.max(1, Math.ceil(error.retryAfter)));
  // Fastify sets `connection: close` on a body that is too large, and the client could then lose the response.
  void reply.removeHeader('connection');
  discardRest(reply.request.raw);
  void reply
    .headers(error.headers)
    .status(error.status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(error.toBody()));
}
