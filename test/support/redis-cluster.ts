import { Redis } from 'ioredis';
import { freePort, type RedisServer, startRedis } from './redis.js';
import { until } from './until.js';

const NODES = 3;
const SLOTS = 16_384;
/** Silence after which nodes take one for failed, ms: longer than a busy machine makes them silent. */
const NODE_TIMEOUT_MS = 5_000;
/** A port that was free may be taken by the time a server binds it. */
const ATTEMPTS = 5;

/** A real Redis Cluster of three masters on free loopback ports. */
export interface RedisClusterServers {
  /** `redis+cluster://…`, naming every node. */
  readonly url: string;
  /** Node n has the n-th third of the slots. */
  readonly nodes: readonly RedisServer[];
  /** Waits until every node says that every slot is served. */
  complete(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a cluster and waits until it takes commands: 2 s after its nodes have started, and no sooner. */
export async function startRedisCluster({ aof = false }: { aof?: boolean } = {}): Promise<RedisClusterServers> {
  const started = await Promise.allSettled(Array.from({ length: NODES }, () => startNode(aof)));
  const nodes = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const servers = nodes.map(({ server }) => server);
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop()));
  };
  const complete = async () => {
    await Promise.all(
      servers.map((server) => onNode(server, (redis) => until('the cluster is complete', () => knowsAll(redis)))),
    );
  };
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    await Promise.all(
      servers.map((server, n) =>
        onNode(server, async (redis) => {
          const from = Math.floor((n * SLOTS) / NODES);
          await redis.cluster('ADDSLOTSRANGE', from, Math.floor(((n + 1) * SLOTS) / NODES) - 1);
          await redis.cluster('SET-CONFIG-EPOCH', n + 1);
        }),
      ),
    );
    // Everybody meets everybody: sooner there than by hearsay.
    for (const server of servers) {
      await onNode(server, async (redis) => {
        for (const { server: other, busPort } of nodes) {
          if (other !== server) await redis.call('CLUSTER', 'MEET', '127.0.0.1', other.port, busPort);
        }
      });
    }
    await complete();
  } catch (error) {
    await stop();
    throw error;
  }
  const url = `redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  return { url, nodes: servers, complete, stop };
}

async function startNode(aof: boolean): Promise<{ server: RedisServer; busPort: number }> {
  for (let attempt = 1; ; attempt++) {
    // By default the bus has the server's port plus 10000, which may be none.
    const busPort = await freePort();
    const args = [
      ...['--cluster-enabled', 'yes', '--cluster-port', String(busPort)],
      ...['--cluster-node-timeout', String(NODE_TIMEOUT_MS)],
    ];
    try {
      return { server: await startRedis({ aof, args }), busPort };
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
  }
}

async function knowsAll(redis: Redis): Promise<boolean> {
  const info = await redis.cluster('INFO');
  return info.includes('cluster_state:ok') && info.includes(`cluster_size:${NODES}`);
}

async function onNode<T>({ url }: RedisServer, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  redis.on('error', () => {});
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
