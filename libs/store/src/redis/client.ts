import type { SecureContextOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { followNodes } from './cluster-nodes.js';
import { hostsOf, parseRedisUrl, type RedisUrl } from './redis-url.js';
import { CLUSTER_OPTIONS, type RedisRole, retryDelay, SERVER_OPTIONS } from './roles.js';

/** Client of a single server, of the master that Sentinels name, or of a cluster. */
export type RedisClient = Redis | Cluster;

export interface ConnectOptions {
  /** TLS options, for `rediss` URLs. */
  readonly tls?: SecureContextOptions;
  /** Called once when a connection breaks or cannot be made; again only after all connections were up. */
  readonly onOutage?: (error: Error) => void;
}

/** How long to wait for a node's table of slots, ms, before asking the next node. */
const REFRESH_TIMEOUT_MS = 1_000;
/** How long to wait for a Sentinel, ms, before asking the next one. */
const SENTINEL_TIMEOUT_MS = 1_000;

const addresses = new WeakMap<RedisClient, string>();

/**
 * Connects in the background and keeps reconnecting, at least once a second. A cluster's `ready` means that its slots
 * are known, not that all nodes are connected: call `awaitRedis` before any command that must not fail. BullMQ's
 * `Queue` sends such a command: it reads the server's version when it is created, and never works if that failed.
 * @param url in a form that `parseRedisUrl` accepts
 * @param name connection name, shown by `CLIENT LIST`
 * @throws BootError when the URL is invalid
 */
export function connectRedis(url: string, role: RedisRole, name: string, options: ConnectOptions = {}): RedisClient {
  const target = parseRedisUrl(url);
  const redis =
    target.kind === 'cluster' ? toCluster(target, role, name, options) : toServer(url, target, role, name, options);
  addresses.set(redis, hostsOf(url));
  return redis;
}

/** Hosts and ports in a client's URL, for messages. */
export function addressOf(redis: RedisClient): string {
  return addresses.get(redis) ?? 'an unnamed address';
}

/** The servers that hold keys, for commands without a key: one, or a cluster's masters. The client must be ready. */
export function serversOf(redis: RedisClient): Redis[] {
  return redis instanceof Cluster ? redis.nodes('master') : [redis];
}

function toServer(
  url: string,
  { kind, nodes, master, db, username, password, tls: secure }: RedisUrl,
  role: RedisRole,
  name: string,
  { tls, onOutage }: ConnectOptions,
): Redis {
  const options = { ...SERVER_OPTIONS[role], connectionName: name, retryStrategy: retryDelay };
  const redis =
    kind === 'single'
      ? new Redis(url, { ...options, ...(secure && tls ? { tls } : {}) })
      : new Redis({
          ...options,
          sentinels: nodes.map((node) => ({ ...node })),
          name: master ?? '',
          db,
          ...(username === undefined ? {} : { username }),
          ...(password === undefined ? {} : { password }),
          ...(secure ? { tls: { ...tls }, enableTLSForSentinelMode: true } : {}),
          // A hung master does not break the connection; Sentinels announce when another one has taken over.
          failoverDetector: true,
          sentinelRetryStrategy: retryDelay,
          sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
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

function toCluster(
  { nodes, username, password, tls: secure }: RedisUrl,
  role: RedisRole,
  name: string,
  { tls, onOutage }: ConnectOptions,
): Cluster {
  const { redisOptions, ...options } = CLUSTER_OPTIONS[role];
  const cluster = new Cluster(
    nodes.map((node) => ({ ...node })),
    {
      ...options,
      clusterRetryStrategy: retryDelay,
      // The check would ask a node that is still connecting, and reconnect. An incomplete cluster refuses commands.
      enableReadyCheck: false,
      slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
      // Keep host names: certificates are checked against them, and every connection resolves them again.
      dnsLookup: (host, done) => done(null, host),
      redisOptions: {
        ...redisOptions,
        connectionName: name,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(secure ? { tls: { ...tls } } : {}),
      },
    },
  );
  followNodes(cluster, onOutage);
  return cluster;
}
