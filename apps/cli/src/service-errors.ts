import { EmbedmillApiError, EmbedmillConnectionError, EmbedmillError } from '#client';
import { CommandError, EXIT } from './exit-codes.js';

/** The message and exit code of a command when the service refuses a request or does not answer. */
export function commandErrorOf(error: EmbedmillError): CommandError {
  if (error instanceof EmbedmillConnectionError) {
    const advice = error.answered ? '' : '; give its address with --url';
    return new CommandError(EXIT.unreachable, `${error.message}${advice}`, { cause: error });
  }
  if (error instanceof EmbedmillApiError) return new CommandError(exitCodeOf(error), wordsOf(error), { cause: error });
  return new CommandError(EXIT.error, error.message, { cause: error });
}

/** Whether the service cannot be reached, or is unavailable (503). */
export function isAway(error: unknown): boolean {
  return error instanceof EmbedmillError && commandErrorOf(error).exitCode === EXIT.unreachable;
}

function exitCodeOf({ status }: EmbedmillApiError): number {
  if (isRefusal(status)) return EXIT.refused;
  return status === 503 ? EXIT.unreachable : EXIT.error;
}

function wordsOf({ code, keySent, message, status, url }: EmbedmillApiError): string {
  if (!isRefusal(status)) return message;
  const known = code === '' ? 'the key is not accepted' : message;
  return `${url} answers ${status}: ${keySent ? known : 'give a key with --key'}`;
}

function isRefusal(status: number): boolean {
  return status === 401 || status === 403;
}
