import { type Check, fail, ok, warn } from './check.js';
import type { RedisInfo } from './redis-info.js';

const LEAST_MAJOR = 7;
/** Used shares of the memory limit. */
const FULL = { warn: 0.8, fail: 0.95 };
/** Members of `INFO` with the result of the last write to disk: each must be `ok`. */
const PERSISTENCE = ['rdb_last_bgsave_status', 'aof_last_bgrewrite_status', 'aof_last_write_status'];

/** Checks a server of the queue's Redis, which must lose nothing. */
export function judgeQueue(info: RedisInfo): Check[] {
  return [
    version('queue: version', info),
    policyOfQueue(info),
    info.get('aof_enabled') === '1'
      ? ok('queue: append-only file', 'on')
      : fail('queue: append-only file', 'off', 'accepted jobs are lost when it stops: set appendonly yes'),
    persistence(info),
    memory('queue: memory', info),
  ];
}

/**
 * Checks a server of the cache's Redis, which may lose everything.
 * @param queues `INFO` of the queue's servers
 */
export function judgeCache(info: RedisInfo, queues: readonly RedisInfo[]): Check[] {
  const id = info.get('run_id');
  if (id !== undefined && queues.some((queue) => queue.get('run_id') === id)) {
    return [
      warn(
        'cache: instance',
        'the same as the queue',
        'fine for a small set-up; otherwise give the cache a Redis of its own with maxmemory and allkeys-lfu (EMBED_CACHE_REDIS_URL)',
      ),
    ];
  }
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  return [
    version('cache: version', info),
    policy === 'allkeys-lfu'
      ? ok('cache: eviction', policy)
      : warn('cache: eviction', policy, 'set maxmemory-policy allkeys-lfu, which keeps what is asked for most'),
    numberOf(info, 'maxmemory') > 0
      ? ok('cache: bound', mib(numberOf(info, 'maxmemory')))
      : warn('cache: bound', 'none', 'set maxmemory: without it the cache grows until the machine is full'),
  ];
}

function version(name: string, info: RedisInfo): Check {
  const valkey = info.get('valkey_version');
  const found = valkey ?? info.get('redis_version') ?? 'unknown';
  const shown = `${valkey === undefined ? 'Redis' : 'Valkey'} ${found}`;
  if (Number.parseInt(found, 10) >= LEAST_MAJOR) return ok(name, shown);
  return fail(name, shown, 'Redis 7, or Valkey 7.2, or newer is needed');
}

function policyOfQueue(info: RedisInfo): Check {
  const name = 'queue: eviction';
  const policy = info.get('maxmemory_policy') ?? 'unknown';
  if (policy === 'noeviction') return ok(name, policy);
  return fail(name, policy, 'it may throw away accepted work: set maxmemory-policy noeviction');
}

function persistence(info: RedisInfo): Check {
  const name = 'queue: persistence';
  const broken = PERSISTENCE.filter((field) => (info.get(field) ?? 'ok') !== 'ok');
  if (broken.length > 0) {
    const found = broken.map((field) => `${field} is ${info.get(field)}`).join(', ');
    return fail(name, found, 'look at its log: the disk may be full, or not writable');
  }
  if (info.get('loading') === '1') return warn(name, 'loading its data', 'wait until it is done');
  return ok(name, 'no errors');
}

function memory(name: string, info: RedisInfo): Check {
  const used = numberOf(info, 'used_memory');
  const bound = numberOf(info, 'maxmemory');
  const limit = bound > 0 ? bound : numberOf(info, 'total_system_memory');
  if (limit === 0) return ok(name, `${mib(used)} used`);
  const found = `${mib(used)} of ${mib(limit)}${bound > 0 ? '' : ' of the machine'}`;
  const advice = 'give it more memory, or shorten EMBED_JOB_TTL_SECONDS: when it is full, nothing is accepted';
  if (used > FULL.fail * limit) return fail(name, found, advice);
  return used > FULL.warn * limit ? warn(name, found, advice) : ok(name, found);
}

function numberOf(info: RedisInfo, field: string): number {
  return Number(info.get(field) ?? 0);
}

function mib(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024).toLocaleString('en-US')} MiB`;
}
