import type { SecureContextOptions } from 'node:tls';
import { Redis, type RedisOptions } from 'ioredis';

/**
 * What becomes of a command while Redis is away. `command`: fails at once, so that a caller can be told.
 * `worker`: waits until Redis is back, since its result must arrive; whatever is sent through it may run twice.
 * `subscriber`: only subscriptions, renewed by themselves. `cache`: fails at once and never takes long.
 */
export type RedisRole = 'command' | 'worker' | 'subscriber' | 'cache';

const LONGEST_RETRY_MS = 1000;

const OPTIONS = {
  // Not sent again after a broken connection: it may have run, and not every command may run twice.
  command: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 10_000,
  },
  worker: { maxRetriesPerRequest: null },
  subscriber: { maxRetriesPerRequest: null, autoResubscribe: true },
  cache: {
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    commandTimeout: 2_000,
    connectTimeout: 2_000,
  },
} satisfies Record<RedisRole, RedisOptions>;

/**
 * Connects in the background and keeps reconnecting, at least once a second.
 * @param name shown by `CLIENT LIST`
 * @param options.tls for a rediss:// URL
 * @param options.onOutage called once when the connection breaks or cannot be made, and again only after it was there
 */
export function connectRedis(
  url: string,
  role: RedisRole,
  name: string,
  { tls, onOutage }: { tls?: SecureContextOptions; onOutage?: (error: Error) => void } = {},
): Redis {
  const redis = new Redis(url, {
    ...OPTIONS[role],
    connectionName: name,
    ...(url.startsWith('rediss:') && tls ? { tls } : {}),
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), LONGEST_RETRY_MS),
  });
  let away = false;
  redis.on('error', (error: Error) => {
    if (away) return;
    away = true;
    onOutage?.(error);
  });
  redis.on('ready', () => {
    away = false;
  });
  return redis;
}
