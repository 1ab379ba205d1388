import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedisServer } from '../../apps/cli/src/redis-server.js';
import { freePort, type RedisServer, startRedis } from './redis.js';
import { until } from './until.js';

const MASTER = 'embedmill';
/** Silence after which a Sentinel would replace a master by itself, ms: not within a test. */
const NEVER_MS = 600_000;

/** Two servers, one a replica of the other, and a real Sentinel that knows them. */
export interface RedisSentinelServers {
  /** `redis+sentinel://…` */
  readonly url: string;
  /** The first is the master until a failover. */
  readonly servers: readonly [RedisServer, RedisServer];
  /** Makes the replica the master, and waits until the Sentinel names it. */
  failover(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedisSentinel(): Promise<RedisSentinelServers> {
  const master = await startRedis({ args: ['--repl-diskless-sync-delay', '0'] });
  const replica = await startRedis({
    args: ['--replicaof', '127.0.0.1', String(master.port), '--repl-diskless-sync-delay', '0'],
  });
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-sentinel-'));
  const port = await freePort();
  const file = join(folder, 'sentinel.conf');
  await writeFile(
    file,
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `dir ${folder}`,
      `sentinel monitor ${MASTER} 127.0.0.1 ${master.port} 1`,
      `sentinel down-after-milliseconds ${MASTER} ${NEVER_MS}`,
      '',
    ].join('\n'),
  );
  const child = spawn(findRedisServer(), [file, '--sentinel'], { stdio: 'ignore' });
  const killAtExit = () => child.kill('SIGKILL');
  process.on('exit', killAtExit);
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const sentinel = new Redis(port, { maxRetriesPerRequest: null, retryStrategy: () => 50 });
  sentinel.on('error', () => {});
  const masterPort = async () =>
    Number(((await sentinel.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', MASTER)) as string[])[1]);
  const stop = async () => {
    sentinel.disconnect();
    child.kill('SIGTERM');
    await exited;
    process.off('exit', killAtExit);
    await Promise.all([master.stop(), replica.stop()]);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await until('the Sentinel knows the replica', async () => {
      const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', MASTER)) as unknown[];
      return JSON.stringify(replicas).includes('"master-link-status","ok"');
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url: `redis+sentinel://127.0.0.1:${port}/${MASTER}`,
    servers: [master, replica],
    async failover() {
      const before = await masterPort();
      await sentinel.call('SENTINEL', 'FAILOVER', MASTER);
      await until('the Sentinel names the other server', async () => (await masterPort()) !== before);
    },
    stop,
  };
}
