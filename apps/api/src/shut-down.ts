import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { within } from '#contracts';
import type { Traces } from '#telemetry';
import type { ApiServices } from './services.js';

/** Time for requests under way to finish, ms. */
const GRACE_MS = 20_000;
/** Time limit of every other step, ms. */
const STEP_MS = 2000;
const IDLE_MS = 100;

/**
 * Shuts an API process down in order, with a time limit for each step: mark it as not ready and end event streams and
 * waits for jobs; refuse new requests and finish those under way; remove tasks of cancelled jobs; write the last
 * history; close tokenizers, queues and Redis; export the last spans.
 */
export async function shutDown(app: NestFastifyApplication, services: ApiServices, traces: Traces): Promise<void> {
  const { cancelled, closing, connections, inbox, log, queues, recorder, tokenLimit } = services;
  const step = (what: string, ms: number, work: Promise<unknown>): Promise<unknown> =>
    within(ms, work).catch((error: unknown) => log.warn({ err: error }, `${what}: not done`));

  closing.begin();
  await step('finishing the requests under way', GRACE_MS, closeServer(app));
  await step('removing the tasks of cancelled jobs', STEP_MS, cancelled.close());
  await step('writing the last of the history', STEP_MS, recorder.stop());
  inbox.close();
  await step('closing the tokenizers', STEP_MS, tokenLimit.close());
  await step('closing the queues', STEP_MS, queues.close());
  connections.close();
  await traces.stop();
}

/** Stops accepting requests; resolves when those under way are answered. */
async function closeServer(app: NestFastifyApplication): Promise<void> {
  // A keep-alive connection whose last response was sent after the close began would keep the server open.
  const server = app.getHttpServer();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
  }
}
