import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ClientGone } from './hang-up.js';
import { sendError } from './send-error.js';
import { type ErrorContext, toApiError } from './to-api-error.js';

/** Converts every error thrown by a handler into a response. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #context: ErrorContext;

  constructor(context: ErrorContext) {
    this.#context = context;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // The client has disconnected: no response is possible, and it is not an error of this service.
    if (error instanceof ClientGone) {
      reply.log.debug('the client has gone');
      reply.raw.destroy();
      return;
    }
    const apiError = toApiError(error, this.#context);
    if (apiError.status === 500) reply.log.error({ err: apiError.cause ?? apiError }, apiError.message);
    // At debug level: overload and outages fail thousands of requests, and the connections log an outage once.
    else if (apiError.status > 500) reply.log.debug({ err: apiError.cause, code: apiError.code }, apiError.message);
    // The response has started: only breaking the connection can signal the error.
    if (reply.sent || reply.raw.headersSent) reply.raw.destroy();
    else sendError(reply, apiError);
  }
}
