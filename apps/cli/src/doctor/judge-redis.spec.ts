import { judgeCache, judgeQueue } from './judge-redis.js';
import { parseRedisInfo } from './redis-info.js';

const GOOD_QUEUE = {
  redis_version: '7.2.4',
  run_id: 'q',
  maxmemory_policy: 'noeviction',
  aof_enabled: '1',
  aof_last_write_status: 'ok',
  used_memory: '1048576',
  maxmemory: '104857600',
};
const GOOD_CACHE = { redis_version: '7.2.4', run_id: 'c', maxmemory_policy: 'allkeys-lfu', maxmemory: '1048576' };

function info(fields: Record<string, string>) {
  const lines = Object.entries(fields).map(([name, value]) => `${name}:${value}`);
  return parseRedisInfo(`# Server\r\n${lines.join('\r\n')}\r\n`);
}

function complaints(checks: ReturnType<typeof judgeQueue>): string[] {
  return checks.filter(({ status }) => status !== 'ok').map(({ found, name, status }) => `${status} ${name}: ${found}`);
}

it('finds nothing wrong with Redis as docs/operations.md wants it', () => {
  expect(complaints(judgeQueue(info(GOOD_QUEUE)))).toEqual([]);
  expect(complaints(judgeQueue(info({ ...GOOD_QUEUE, valkey_version: '8.1.0' })))).toEqual([]);
  expect(complaints(judgeCache(info(GOOD_CACHE), [info(GOOD_QUEUE)]))).toEqual([]);
});

it.each([
  [{ redis_version: '6.2.1' }, 'fail queue: version: Redis 6.2.1'],
  [{ maxmemory_policy: 'allkeys-lru' }, 'fail queue: eviction: allkeys-lru'],
  [{ aof_enabled: '0' }, 'fail queue: append-only file: off'],
  [{ aof_last_write_status: 'err' }, 'fail queue: persistence: aof_last_write_status is err'],
  [{ used_memory: '90000000' }, 'warn queue: memory: 86 MiB of 100 MiB'],
  [{ used_memory: '104000000' }, 'fail queue: memory: 99 MiB of 100 MiB'],
  [
    { maxmemory: '0', used_memory: '900', total_system_memory: '901' },
    'fail queue: memory: 0 MiB of 0 MiB of the machine',
  ],
])('of the queue: %j', (change, complaint) => {
  expect(complaints(judgeQueue(info({ ...GOOD_QUEUE, ...change })))).toEqual([complaint]);
});

it.each([
  [{ maxmemory_policy: 'noeviction' }, 'warn cache: eviction: noeviction'],
  [{ maxmemory: '0' }, 'warn cache: bound: none'],
  [{ run_id: 'q' }, 'warn cache: instance: the same as the queue'],
])('of the cache: %j', (change, complaint) => {
  expect(complaints(judgeCache(info({ ...GOOD_CACHE, ...change }), [info(GOOD_QUEUE)]))).toEqual([complaint]);
});
