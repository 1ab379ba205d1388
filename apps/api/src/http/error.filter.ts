import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ClientGone } from './hang-up.js';
import { sendError } from './send-error.js';
import { type ErrorContext, toApiError } from './to-api-error.js';

/** The one place where errors become responses. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #context: ErrorContext;

  constructor(context: ErrorContext) {
    this.#context = context;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const reply = host.switchToHttp().getResponse<FastifyReply>();
    // Nobody reads what would be answered, and nothing went wrong here.
    if (error instanceof ClientGone) {
      reply.log.debug('the client has gone');
      reply.raw.destroy();
      return;
    }
    const apiError = toApiError(error, this.#context);
    if (apiError.status === 500) reply.log.error({ err: apiError.cause ?? apiError }, apiError.message);
    // Overload and outages come by the thousand; connections report theirs once.
    else if (apiError.status > 500) reply.log.debug({ err: apiError.cause, code: apiError.code }, apiError.message);
    // A stream had begun: breaking it off is all that can be said.
    if (reply.sent || reply.raw.headersSent) reply.raw.destroy();
    else sendError(reply, apiError);
  }
}
