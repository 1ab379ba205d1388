import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { ReplyInbox } from '#store';
import type { Traces } from '#telemetry';
import { ReadinessCheck } from './health/readiness.js';
import { TokenLimit } from './planning/token-limit.js';
import { Connections } from './redis.module.js';

/** Requests under way get so long to end, ms. */
const GRACE_MS = 20_000;
const IDLE_MS = 100;

/** Ends an API process in order: no longer ready, no new requests, those under way answered, then Redis, and their last spans. Bounded. */
export async function shutDown(app: NestFastifyApplication, traces: Traces): Promise<void> {
  app.get(ReadinessCheck).close();
  const deadline = setTimeout(() => process.exit(1), GRACE_MS);
  // A kept-alive connection whose last answer came after the close began would be waited for.
  const server = app.getHttpServer();
  const idle = setInterval(() => server.closeIdleConnections(), IDLE_MS);
  await app.close();
  clearInterval(idle);
  app.get(ReplyInbox).close();
  await app.get(TokenLimit).close();
  app.get(Connections).close();
  await traces.stop();
  clearTimeout(deadline);
}
