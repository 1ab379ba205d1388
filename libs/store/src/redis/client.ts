import type { SecureContextOptions } from 'node:tls';
import { Cluster, Redis } from 'ioredis';
import { followNodes } from './cluster-nodes.js';
import { hostsOf, parseRedisUrl, type RedisUrl } from './redis-url.js';
import { CLUSTER_OPTIONS, type RedisRole, retryDelay, SERVER_OPTIONS } from './roles.js';

/** A single server, the master that Sentinels name, or a cluster. */
export type RedisClient = Redis | Cluster;

export interface ConnectOptions {
  /** For a URL with `rediss`. */
  readonly tls?: SecureContextOptions;
  /** Called once when a connection breaks or cannot be made, and again only after all of them were there. */
  readonly onOutage?: (error: Error) => void;
}

/** Longest that a node takes to say which node has which slots, ms, before the next one is asked. */
const REFRESH_TIMEOUT_MS = 1_000;
/** Longest that a Sentinel is waited for, ms, before the next one is asked. */
const SENTINEL_TIMEOUT_MS = 1_000;

const addresses = new WeakMap<RedisClient, string>();

/**
 * Connects in the background and keeps reconnecting, at least once a second. A cluster's `ready` means that its slots
 * are known, not that all nodes are connected: what begins with commands that must not fail begins after `awaitRedis`.
 * BullMQ's `Queue` is such: it looks at the server's version once, when it is made, and never works if that failed.
 * @param url as `parseRedisUrl` reads it
 * @param name shown by `CLIENT LIST`
 * @throws BootError for a URL that cannot be read
 */
export function connectRedis(url: string, role: RedisRole, name: string, options: ConnectOptions = {}): RedisClient {
  const target = parseRedisUrl(url);
  const redis =
    target.kind === 'cluster' ? toCluster(target, role, name, options) : toServer(url, target, role, name, options);
  addresses.set(redis, hostsOf(url));
  return redis;
}

/** Hosts and ports that a client was given, for messages. */
export function addressOf(redis: RedisClient): string {
  return addresses.get(redis) ?? 'an unnamed address';
}

/** The servers that hold keys, for commands without a key: one, or a cluster's masters. Only of a client that is ready. */
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
          // A master that hangs breaks no connection; Sentinels say when another one has taken over.
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
      // It would ask a node that is still connecting, and start anew. A cluster that is not complete refuses commands.
      enableReadyCheck: false,
      slotsRefreshTimeout: REFRESH_TIMEOUT_MS,
      // Names stay names: certificates are checked with them, and every connection looks them up anew.
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
