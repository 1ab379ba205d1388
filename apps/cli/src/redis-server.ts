import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BootError } from '#contracts';
import type { Program } from './child-process.js';

/** Time for the last write to disk. */
const STOP_MS = 30_000;

/**
 * The Redis or Valkey server program on PATH.
 * @throws BootError saying how to get one
 */
export function findRedisServer(path = process.env['PATH'] ?? ''): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of path.split(delimiter)) {
      const program = join(folder, name);
      try {
        accessSync(program, constants.X_OK);
        return program;
      } catch {
        // The next one.
      }
    }
  }
  throw new BootError(
    'no redis-server or valkey-server on PATH: "apt-get install redis-server", "brew install redis", ' +
      'or set REDIS_URL to a Redis that runs elsewhere',
  );
}

/** Vectors do not shrink: trying costs every rewrite of the append-only file, and every snapshot, most of its time. */
const UNCOMPRESSED = { rdbcompression: 'no' };

/** The queue's Redis: what it has acknowledged survives a crash (but for its last second), and nothing is evicted. */
export function queueRedis(program: string, folder: string, port: number): Program {
  return redis('redis', program, folder, port, {
    'appendonly': 'yes',
    'appendfsync': 'everysec',
    'save': '',
    'maxmemory-policy': 'noeviction',
    ...UNCOMPRESSED,
  });
}

/**
 * The cache's Redis: a bounded memory that forgets what is used least. It saves when it stops, so that the cache is
 * warm after a restart; a crash may cost an hour of it.
 * @param memory as Redis writes it, e.g. `512mb`
 */
export function cacheRedis(program: string, folder: string, port: number, memory: string): Program {
  return redis('cache', program, folder, port, {
    'appendonly': 'no',
    'save': '3600 1',
    'maxmemory': memory,
    'maxmemory-policy': 'allkeys-lfu',
    ...UNCOMPRESSED,
  });
}

function redis(name: string, program: string, folder: string, port: number, settings: Record<string, string>): Program {
  mkdirSync(folder, { recursive: true });
  const all = { port: String(port), bind: '127.0.0.1', dir: folder, daemonize: 'no', ...settings };
  return {
    name,
    command: program,
    args: Object.entries(all).flatMap(([setting, value]) => [`--${setting}`, value]),
    env: process.env,
    ready: /Ready to accept connections/,
    stopMs: STOP_MS,
    silent: true,
  };
}
