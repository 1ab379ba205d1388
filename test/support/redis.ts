import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findRedisServer } from '../../apps/cli/src/redis-server.js';

export interface RedisOptions {
  /** Keep data in an append-only file, as the queue's Redis does. Default: nothing is kept. */
  readonly aof?: boolean;
  /** Further command-line arguments. */
  readonly args?: readonly string[];
  /** Puts files into the data folder before the server starts for the first time. */
  readonly prepare?: (folder: string) => Promise<void>;
}

/** A real Redis server of the test's own on a free loopback port. */
export interface RedisServer {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** SIGTERM, waits, and removes its folder. */
  stop(): Promise<void>;
  /** SIGTERM and waits; keeps the folder, so that `start` finds the data. */
  halt(): Promise<void>;
  /** SIGKILL and waits; keeps the folder. */
  kill(): Promise<void>;
  /** Again on the same port and folder, after `halt` or `kill`. */
  start(): Promise<void>;
}

/** Starts a server and waits until it answers. */
export async function startRedis({ aof = false, args = [], prepare }: RedisOptions = {}): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-redis-'));
  await prepare?.(folder);
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const start = async () => {
    child = spawn(
      findRedisServer(),
      [
        ...['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
        ...['--appendonly', aof ? 'yes' : 'no', '--maxmemory-policy', 'noeviction', '--rdbcompression', 'no', ...args],
      ],
      { stdio: 'ignore' },
    );
    running.add(child);
    const failed = new Promise<never>((_, reject) => {
      child!.once('error', reject);
      child!.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    });
    failed.catch(() => {});
    const client = new Redis(url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    client.on('error', () => {});
    try {
      await Promise.race([client.ping(), failed]);
    } finally {
      client.disconnect();
    }
  };
  const end = async (signal: NodeJS.Signals) => {
    const ending = child;
    if (ending === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const exited = new Promise((resolve) => ending.once('exit', resolve));
    ending.kill(signal);
    await exited;
    running.delete(ending);
  };

  await start();
  return {
    url,
    port,
    get pid() {
      return child?.pid ?? 0;
    },
    start,
    halt: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Children still running: none may outlive the test process. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
