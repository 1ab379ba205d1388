import { accessSync, constants, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { BootError } from '#contracts';
import type { Program } from './child-process.js';

/** Time that Redis gets for its last write to disk, ms. */
const STOP_MS = 30_000;

/**
 * Path of the Redis or Valkey server program on PATH.
 * @throws BootError that says how to install one
 */
export function findRedisServer(path = process.env['PATH'] ?? ''): string {
  for (const name of ['redis-server', 'valkey-server']) {
    for (const folder of path.split(delimiter)) {
      const program = join(folder, name);
      try {
        accessSync(program, constants.X_OK);
        return program;
      } catch {
        // Not in this folder: try the next one.
      }
    }
  }
  throw new BootError(
    'no redis-server or valkey-server on PATH: "apt-get install redis-server", "brew install redis", ' +
      'or set REDIS_URL to a Redis that runs elsewhere',
  );
}

/** Vectors do not compress: trying takes most of the time of a snapshot or an append-only-file rewrite. */
const UNCOMPRESSED = { rdbcompression: 'no' };

/** The queue's Redis: acknowledged writes survive a crash, except those of the last second, and nothing is evicted. */
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
 * The cache's Redis: bounded memory, least frequently used entries are evicted. It saves when it stops, so that the
 * cache is warm after a restart; a crash may lose the entries of an hour.
 * @param memory bound in Redis's notation, e.g. `512mb`
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
