import { type Cluster, Redis } from 'ioredis';
import { startRedisCluster } from '../../../../test/support/redis-cluster.js';
import { awaitRedis } from './await-redis.js';
import { connectRedis } from './client.js';
import { exec } from './exec.js';

/** The slot of `{a}`, which the last node has. */
const SLOT = 15_495;

const servers = await startRedisCluster();
const target = new Redis(servers.nodes[0]!.port);
const source = new Redis(servers.nodes[2]!.port);
const clients = (['command', 'worker'] as const).map((role) => connectRedis(servers.url, role, 'test') as Cluster);
const everybody = [target, source];

beforeAll(() => Promise.all(clients.map((redis) => awaitRedis(redis, 10_000))));
afterAll(async () => {
  for (const redis of [...clients, ...everybody]) redis.disconnect();
  await servers.stop();
});

it('follows a slot while it moves and after it has moved, alone and in one go', async () => {
  const [targetId, sourceId] = await Promise.all(everybody.map((redis) => redis.cluster('MYID')));
  await source.mset('{a}:moved', 1, '{a}:stays', 2);
  await target.cluster('SETSLOT', SLOT, 'IMPORTING', String(sourceId));
  await source.cluster('SETSLOT', SLOT, 'MIGRATING', String(targetId));
  await source.migrate('127.0.0.1', servers.nodes[0]!.port, '{a}:moved', 0, 5000);
  for (const redis of clients) {
    // Half of the keys are here and half of them there.
    const counted = await exec(redis, [
      ['incr', '{a}:stays'],
      ['incr', '{a}:moved'],
      ['incr', '{b}:elsewhere'],
      ['incr', '{a}:moved'],
      ['get', '{a}:new'],
    ]);
    const others = redis === clients[0] ? [3, 2, 1, 3, null] : [4, 4, 2, 5, null];
    expect(counted).toEqual(others);
    expect(await redis.get('{a}:moved')).toBe(redis === clients[0] ? '3' : '5');
  }
  await source.migrate('127.0.0.1', servers.nodes[0]!.port, '{a}:stays', 0, 5000);
  for (const redis of [target, source]) await redis.cluster('SETSLOT', SLOT, 'NODE', String(targetId));
  for (const redis of clients) {
    expect(
      await exec(redis, [
        ['get', '{a}:stays'],
        ['get', '{a}:moved'],
      ]),
    ).toEqual(['4', '5']);
    expect(await redis.get('{a}:stays')).toBe('4');
  }
});
