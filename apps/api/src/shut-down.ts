import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { within } from '#contracts';
import type { Traces } from '#telemetry';
import type { ApiServices } from './services.js';

/** Requests under way get so long to end, ms. */
const GRACE_MS = 20_000;
/** Time for a step that waits for nobody's request. */
const STEP_MS = 2000;
const IDLE_MS = 100;

/**
 * Ends an API process in order, every step bounded: no longer ready, those who only look on or wait for a job answered, no
 * new requests and those under way finished, what is left of cancelled jobs, the last of the history, Redis, the last spans.
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

/** Takes no new requests; resolves when those under way are answered. */
async function closeServer(app: NestFastifyApplication): Promise<void> {
  // A kept-alive connection whose last answer came after the close began would be waited for.
  const server = app.getHttpServer();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  try {
    await app.close();
  } finally {
    clearInterval(idle);
  }
}
