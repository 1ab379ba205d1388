import { setTimeout as sleep } from 'node:timers/promises';
import { BootError, DeadlineError, within } from '#contracts';
import { Cluster } from 'ioredis';
import { addressOf, type RedisClient } from './client.js';

const LOOK_AGAIN_MS = 200;

/**
 * Waits until Redis answers: of a cluster every master, and each slot has one.
 * @throws BootError, one line, when it does not within `patienceMs`
 */
export async function awaitRedis(redis: RedisClient, patienceMs: number): Promise<void> {
  const deadline = performance.now() + patienceMs;
  // Why there is no connection stands in these, not in the error of a command that could not be sent.
  let problem: (Error & { code?: string }) | undefined;
  const listen = (error: Error) => {
    // ioredis's words for an attempt that failed, whose reason came before.
    if (problem === undefined || error.message !== 'Connection is closed.') problem = error;
  };
  const event = redis instanceof Cluster ? 'node error' : 'error';
  redis.on(event, listen);
  try {
    for (;;) {
      try {
        // At least one look, and it is given time to fail by itself.
        await within(Math.max(deadline - performance.now(), LOOK_AGAIN_MS), requireAnswer(redis));
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
        await sleep(Math.min(LOOK_AGAIN_MS, patienceMs));
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
