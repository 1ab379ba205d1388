import type { ClusterOptions, RedisOptions } from 'ioredis';

/**
 * What becomes of a command while Redis is away. `command`: fails at once, so that a caller can be told.
 * `worker`: waits until Redis is back, since its result must arrive; whatever is sent through it may run twice.
 * `subscriber`: only subscriptions, renewed by themselves. `cache`: fails at once and never takes long.
 */
export type RedisRole = 'command' | 'worker' | 'subscriber' | 'cache';

const LONGEST_RETRY_MS = 1000;

/** Before the next attempt to connect, ms. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 5), LONGEST_RETRY_MS);
}

/** Of a connection to one server, found by its address or by Sentinels. */
export const SERVER_OPTIONS = {
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
 * MOVED, ASK and TRYAGAIN refuse a command, so following them is safe for every role. A delay of 0 switches ioredis's
 * repeating off: after a lost connection, where the command may have run, and while the cluster is down.
 */
const FAIL_AT_ONCE = {
  enableOfflineQueue: false,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
} satisfies ClusterOptions;

/** ioredis counts repetitions as redirections; with a pause before each they may go on without end. */
const WAIT = {
  maxRedirections: Number.POSITIVE_INFINITY,
  retryDelayOnMoved: 20,
  retryDelayOnFailover: 200,
  retryDelayOnClusterDown: 200,
} satisfies ClusterOptions;

/** The first command to a node that is gone waits for this connection attempt. */
const NODE_CONNECT_MS = 2_000;

/** The same promises on a cluster, which decides by itself when a node's connection queues commands. */
export const CLUSTER_OPTIONS = {
  command: { ...FAIL_AT_ONCE, redisOptions: { ...SERVER_OPTIONS.command, connectTimeout: NODE_CONNECT_MS } },
  worker: { ...WAIT, redisOptions: SERVER_OPTIONS.worker },
  subscriber: { ...WAIT, redisOptions: SERVER_OPTIONS.subscriber },
  cache: { ...FAIL_AT_ONCE, redisOptions: SERVER_OPTIONS.cache },
} satisfies Record<RedisRole, ClusterOptions>;
