import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import { until } from '../support/until.js';

/** Keys that live no longer than this expire as they would: leases, heartbeats, claims, windows of rate limits. */
const SHORT_MS = 60_000;

/**
 * Moves the expiry of everything else to `expiresAt`: an append-only file holds absolute times, so a recording would
 * lose its jobs within a year and its history within a day. `expiresAt` of job records is changed with it.
 */
export async function prolong(redis: Redis, expiresAt: number): Promise<void> {
  for (const key of await redis.keys('*')) {
    const left = await redis.pttl(key);
    // Replies live for two minutes, and most of that has passed.
    if (left > SHORT_MS || (left > 0 && key.startsWith('em:reply:'))) await redis.pexpireat(key, expiresAt);
    if (/^em:job:\{[^}]+\}$/.test(key) && left > SHORT_MS) await redis.hset(key, 'expiresAt', expiresAt);
  }
}

/** Pattern of keys -> type and number of them. */
export async function inventoryOf(redis: Redis): Promise<Record<string, string>> {
  const found = new Map<string, Map<string, number>>();
  for (const key of await redis.keys('*')) {
    const type = await redis.type(key);
    const types = found.get(patternOf(key)) ?? new Map<string, number>();
    found.set(patternOf(key), types.set(type, (types.get(type) ?? 0) + 1));
  }
  const patterns = [...found].sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    patterns.map(([pattern, types]) => [pattern, [...types].map(([type, count]) => `${type} x ${count}`).join(', ')]),
  );
}

function patternOf(key: string): string {
  return key
    .replace(/job_[0-9a-f]{32}-\d+/, '<job>-<unit>')
    .replace(/job_[0-9a-f]{32}/, '<job>')
    .replace(/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/, '<id>')
    .replace(/\b[0-9a-f]{32}\b/g, '<fingerprint>')
    .replace(/:vec:[\w-]{20}:[\w-]{32}$/, ':vec:<spec>:<text>')
    .replace(/:vec:\d+$/, ':vec:<slice>')
    .replace(/:claim:\d+$/, ':claim:<tick>')
    .replace(/:history:(\w+):\d+$/, ':history:<range>:<step>')
    .replace(/:(session|sign-ins):[\w-]+$/, ':$1:<hash>')
    .replace(/:key:\w{12}$/, ':key:<id>')
    .replace(/:rate:(\w+):.*/, ':rate:<unit>:<key id>')
    .replace(/:jobs:of:.*/, ':jobs:of:<tenant>')
    .replace(/:model:.*/, ':model:<name>')
    .replace(/:q:\{[^}]+\}/, ':q:{<model>/<lane>}');
}

/** Has Redis rewrite its append-only file as plain commands. @returns the file, gzipped */
export async function packData(redis: Redis): Promise<Buffer> {
  await redis.config('SET', 'aof-use-rdb-preamble', 'no');
  await redis.bgrewriteaof();
  await until('the append-only file is written', async () => {
    const info = await redis.info('persistence');
    return /aof_rewrite_in_progress:0/.test(info) && /aof_rewrite_scheduled:0/.test(info);
  });
  const [, folder = ''] = await redis.config('GET', 'dir');
  const files = await readdir(join(folder, 'appendonlydir'));
  const base = files.find((file) => file.endsWith('.base.aof'));
  if (base === undefined) throw new Error(`no base file among ${files.join(', ')}`);
  return gzipSync(await readFile(join(folder, 'appendonlydir', base)), { level: 9 });
}
