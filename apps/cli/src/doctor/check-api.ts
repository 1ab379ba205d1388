import { readinessSchema } from '#contracts';
import type { Connection } from '../connection.js';
import { Rest } from '../rest.js';
import { type Check, fail, ok, reasonOf, warn } from './check.js';

const PATIENCE_MS = 10_000;

/** Whether an API answers, is ready, and takes the key. */
export async function checkApi(connection: Connection): Promise<Check[]> {
  let response;
  try {
    response = await fetch(`${connection.url}/health/ready`, { signal: AbortSignal.timeout(PATIENCE_MS) });
  } catch (error) {
    const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException };
    return [fail('api: connection', `${connection.url}: ${cause?.code ?? message}`, 'start it, or correct --url')];
  }
  const readiness = readinessSchema.safeParse(await response.json().catch(() => null)).data;
  if (readiness === undefined) {
    return [
      fail('api: connection', `${connection.url} answers ${response.status}, and is no Embedmill`, 'correct --url'),
    ];
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

async function checkKey(connection: Connection): Promise<Check> {
  const name = 'api: key';
  try {
    await new Rest(connection).models();
    return ok(name, connection.key === undefined ? 'none is asked for' : 'accepted');
  } catch (error) {
    return fail(name, reasonOf(error), 'give one with --key-file that has the scope embed');
  }
}
