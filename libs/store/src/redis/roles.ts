import type { ClusterOptions, RedisOptions } from 'ioredis';

/**
 * What happens to a command while Redis is away. `command`: it fails at once, so that the client gets an error.
 * `worker`: it waits until Redis is back, since results must arrive; it may run twice. `subscriber`: for subscriptions
 * only, which are renewed automatically. `cache`: it fails at once, and has a short timeout.
 */
export type RedisRole = 'command' | 'worker' | 'subscriber' | 'cache';

const LONGEST_RETRY_MS = 1000;

/** Delay before the next attempt to connect, ms. */
export function retryDelay(attempt: number): number {
  return Math.min(50 * 2 ** Math.min(attempt, 5), LONGEST_RETRY_MS);
}

/** Options of a connection to one server, found by its address or through Sentinels. */
export const SERVER_OPTIONS = {
  // Not resent after a broken connection: the command may have run, and not every command may run twice.
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
 * MOVED, ASK and TRYAGAIN mean that the command has not run, so retrying on them is safe for every role. A delay of 0
 * disables ioredis's other retries: after a lost connection, where the command may have run, and while the cluster is
 * down.
 */
const FAIL_AT_ONCE = {
  enableOfflineQueue: false,
  retryDelayOnFailover: 0,
  retryDelayOnClusterDown: 0,
} satisfies ClusterOptions;

/** ioredis counts retries as redirections; because of the delay before each, their number needs no limit. */
const WAIT = {
  maxRedirections: Number.POSITIVE_INFINITY,
  retryDelayOnMoved: 20,
  retryDelayOnFailover: 200,
  retryDelayOnClusterDown: 200,
} satisfies ClusterOptions;

/** The first command to a node that is down waits this long for the connection attempt. */
const NODE_CONNECT_MS = 2_000;

/** The same behaviour on a cluster; there ioredis itself decides when the connection to a node queues commands. */
export const CLUSTER_OPTIONS = {
  command: { ...FAIL_AT_ONCE, redisOptions: { ...SERVER_OPTIONS.command, connectTimeout: NODE_CONNECT_MS } },
  worker: { ...WAIT, redisOptions: SERVER_OPTIONS.worker },
  subscriber: { ...WAIT, redisOptions: SERVER_OPTIONS.subscriber },
  cache: { ...FAIL_AT_ONCE, redisOptions: SERVER_OPTIONS.cache },
} satisfies Record<RedisRole, ClusterOptions>;
