import { setTimeout as sleep } from 'node:timers/promises';
import { BootError, DeadlineError, within } from '#contracts';
import { Cluster } from 'ioredis';
import { addressOf, type RedisClient } from './client.js';

const RETRY_MS = 200;

/**
 * Waits until Redis answers. A cluster is ready when every slot has a master and every master answers.
 * @throws BootError, one line, when Redis is not ready within `patienceMs`
 */
export async function awaitRedis(redis: RedisClient, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  // Error events say why there is no connection; the error of a command that could not be sent does not.
  let problem: (Error & { code?: string }) | undefined;
  const listen = (error: Error) => {
    // ioredis emits this after a failed attempt; the event before it has the reason.
    if (problem === undefined || error.message !== 'Connection is closed.') problem = error;
  };
  const event = redis instanceof Cluster ? 'node error' : 'error';
  redis.on(event, listen);
  try {
    for (;;) {
      try {
        // Try at least once, with enough time for the attempt to fail by itself.
        await within(Math.max(deadline - performance.now(), RETRY_MS), requireAnswer(redis));
        return;
      } catch (error) {
        if (problem === undefined || (redis.status === 'ready' && !(error instanceof DeadlineError))) {
          problem = error as Error;
        }
        if (performance.now() >= deadline) {
          throw new BootError(
            `Redis at ${addressOf(redis)} does not answer (${problem.message || problem.code}): start it, or set REDIS_URL`,
            { cause: problem },
          );
        }
        await sleep(Math.min(RETRY_MS, patienceMs));
      }
    }
  } finally {
    redis.off(event, listen);
  }
}

async function requireAnswer(redis: RedisClient): Promise<void> {
  await redis.ping();
  if (!(redis instanceof Cluster)) return;
  const info = await redis.cluster('INFO');
  if (!/^cluster_state:ok\r?$/m.test(info)) throw new Error('not every slot of the cluster has a master');
  await Promise.all(redis.nodes('master').map((node) => node.ping()));
}
