import { EmbedmillApiError, EmbedmillConnectionError, EmbedmillError, EmbedmillProtocolError } from '#client';
import type { Readiness } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { commandErrorOf } from '../service-errors.js';
import { type Check, fail, ok, reasonOf, warn } from './check.js';

const ANSWER_TIMEOUT_MS = 10_000;

/** Checks that an API answers, is ready, and accepts the key. */
export async function checkApi(connection: Connection): Promise<Check[]> {
  const client = clientOf(connection, { answerTimeoutMs: ANSWER_TIMEOUT_MS });
  let readiness: Readiness;
  try {
    readiness = await client.health.ready();
  } catch (error) {
    return [connectionFault(error)];
  }
  return [
    ok('api: connection', connection.url),
    readiness.ready
      ? ok('api: readiness', 'ready')
      : fail('api: readiness', readiness.missing.join('; '), 'start what is missing'),
    ...(readiness.paused.length === 0
      ? []
      : [
          warn(
            'api: lanes',
            `paused: ${readiness.paused.join(', ')}`,
            'what comes for them waits: resume them in the dashboard',
          ),
        ]),
    await checkKey(connection),
  ];
}

function connectionFault(error: unknown): Check {
  const name = 'api: connection';
  if (error instanceof EmbedmillConnectionError) {
    return fail(name, `${error.url}: ${error.reason}`, 'start it, or correct --url');
  }
  if (error instanceof EmbedmillApiError) {
    return fail(name, `${error.url} answers ${error.status}, and is no Embedmill`, 'correct --url');
  }
  if (error instanceof EmbedmillProtocolError) return fail(name, error.message, 'correct --url');
  throw error;
}

async function checkKey(connection: Connection): Promise<Check> {
  const name = 'api: key';
  try {
    await clientOf(connection).models.list();
    return ok(name, connection.key === undefined ? 'none is asked for' : 'accepted');
  } catch (error) {
    const reason = reasonOf(error instanceof EmbedmillError ? commandErrorOf(error) : error);
    return fail(name, reason, 'give one with --key-file that has the scope embed');
  }
}
