import { setTimeout as sleep } from 'node:timers/promises';
import { BootError } from '#contracts';
import type { Redis } from 'ioredis';
import type { RedisClient } from './redis/client.js';

const LOOK_AGAIN_MS = 200;

/** Waits until Redis answers. @throws BootError, one line, when it does not within `patienceMs` */
export async function awaitRedis(client: RedisClient, patienceMs: number): Promise<void> {
  const redis = client as Redis;
  const deadline = performance.now() + patienceMs;
  // Why there is no connection stands in these, not in the error of a command that could not be sent.
  let problem: (Error & { code?: string }) | undefined;
  const listen = (error: Error) => {
    problem = error;
  };
  redis.on('error', listen);
  try {
    for (;;) {
      try {
        await redis.ping();
        return;
      } catch (error) {
        if (redis.status === 'ready' || problem === undefined) problem = error as Error;
        if (performance.now() >= deadline) {
          const { host, port } = redis.options;
          throw new BootError(
            `Redis at ${host}:${port} does not answer (${problem.message || problem.code}): start it, or set REDIS_URL`,
            { cause: problem },
          );
        }
        await sleep(Math.min(LOOK_AGAIN_MS, patienceMs));
      }
    }
  } finally {
    redis.off('error', listen);
  }
}
