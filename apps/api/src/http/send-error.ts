import type { ApiError } from '#contracts';
import type { FastifyReply } from 'fastify';
import { discardRest } from './discard-rest.js';

/** An error as a response, also to a client that has not sent all of its body. */
export function sendError(reply: FastifyReply, error: ApiError): void {
  if (error.retryAfter !== undefined) void reply.header('Retry-After', Math.max(1, Math.ceil(error.retryAfter)));
  // Fastify wants to close it on whoever sends too much.
  void reply.removeHeader('connection');
  discardRest(reply.request.raw);
  void reply
    .headers(error.headers)
    .status(error.status)
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(error.toBody()));
}
