import { writeFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Cluster, Redis } from 'ioredis';
import { BootError } from '#contracts';
import { type RedisServer, startRedis } from '../../../../test/support/redis.js';
import { startRedisCluster } from '../../../../test/support/redis-cluster.js';
import { startRedisSentinel } from '../../../../test/support/redis-sentinel.js';
import { until } from '../../../../test/support/until.js';
import { awaitRedis } from './await-redis.js';
import { connectRedis, type RedisClient } from './client.js';
import { exec, getStrings, type RedisCommand, setStrings } from './exec.js';
import { isRedisAway } from './is-redis-away.js';
import { hostsOf } from './redis-url.js';
import type { RedisRole } from './roles.js';
import { script } from './script.js';

/** What clients are promised, whatever stands behind the URL. */
interface Servers {
  readonly url: string;
  /** The one that has the key `{a}`; a cluster has others. */
  readonly server: RedisServer;
  readonly stop: () => Promise<void>;
}

const KINDS: [string, () => Promise<Servers>][] = [
  [
    'a single server',
    async () => {
      const server = await startRedis();
      return { url: server.url, server, stop: server.stop };
    },
  ],
  [
    'a master that a Sentinel names',
    async () => {
      const { url, servers, stop } = await startRedisSentinel();
      return { url, server: servers[0], stop };
    },
  ],
  [
    'a cluster',
    async () => {
      const { url, nodes, stop } = await startRedisCluster();
      // `a` has slot 15495, which is in the last third.
      return { url, server: nodes[2]!, stop };
    },
  ],
];

/** On a cluster, keys of three nodes. */
const KEYS = ['{a}', '{b}', '{c}', '{d}'];

describe.each(KINDS)('%s', (_kind, start) => {
  let servers: Servers;
  const clients: RedisClient[] = [];

  beforeAll(async () => {
    servers = await start();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await servers.stop();
  });

  async function connected(role: RedisRole, onOutage?: (error: Error) => void): Promise<RedisClient> {
    const redis = connectRedis(servers.url, role, 'test', { ...(onOutage && { onOutage }) });
    clients.push(redis);
    await awaitRedis(redis, 10_000);
    return redis;
  }

  it('gives up on a Redis that is not there, in one line that names hosts and no password', async () => {
    const absent = servers.url.replace(/(\/\/)/, '$1user:hunter2@').replaceAll(/:\d+/g, ':1');
    for (const role of ['command', 'worker'] as const) {
      const redis = connectRedis(absent, role, 'test');
      const problem = await awaitRedis(redis, 300).catch((error: unknown) => error);
      redis.disconnect();
      expect(problem).toBeInstanceOf(BootError);
      expect((problem as BootError).message).toContain(hostsOf(absent));
      expect((problem as BootError).message).toMatch(/ECONNREFUSED|All sentinels are unreachable/);
      expect((problem as BootError).message).not.toMatch(/hunter2|\n/);
    }
  });

  it('takes commands from the moment it is there, in every role, and shows its name', async () => {
    for (const role of ['command', 'cache', 'worker'] as const) {
      const redis = await connected(role);
      const set = await Promise.all(KEYS.map((key) => redis.set(`${key}:${role}`, key)));
      expect(set).toEqual(KEYS.map(() => 'OK'));
      expect(await Promise.all(KEYS.map((key) => redis.get(`${key}:${role}`)))).toEqual(KEYS);
      expect(await redis.client('GETNAME')).toBe('test');
    }
  });

  it('runs commands in one go: results in order, numbers and bytes as they are, no key needed', async () => {
    const redis = await connected('command');
    const bytes = Buffer.from([0xff, 0x00, 0xfe, 0x0d, 0x0a]);
    const results = await exec(redis, [
      ...KEYS.map((key, n): RedisCommand => ['hset', `${key}:h`, 'n', n]),
      ...KEYS.map((key): RedisCommand => ['hincrby', `${key}:h`, 'n', '10']),
      ['set', '{a}:bytes', bytes],
      ['getrangeBuffer', '{a}:bytes', 0, -1],
      ['publish', 'somewhere', 'x'],
      ['hgetall', '{c}:h'],
    ]);
    expect(results).toEqual([1, 1, 1, 1, 10, 11, 12, 13, 'OK', bytes, 0, { n: '12' }]);
    expect(await exec(redis, [])).toEqual([]);
  });

  it('brings no news of what is not there yet', async () => {
    const [redis, reader, subscriber] = [
      await connected('worker'),
      await connected('command'),
      await connected('subscriber'),
    ];
    const found: Promise<string | null>[] = [];
    subscriber.on('message', (_channel: string, key: string) => found.push(reader.get(key)));
    await subscriber.subscribe('told');
    // The keys' server holds writes back; on a cluster, others would publish at once.
    const direct = new Redis(servers.server.port);
    await direct.client('PAUSE', 300, 'WRITE');
    direct.disconnect();
    const keys = Array.from({ length: 8 }, (_, n) => `{a}:news:${n}`);
    await Promise.all(
      keys.map((key) =>
        exec(redis, [
          ['set', key, 'there'],
          ['publish', 'told', key],
        ]),
      ),
    );
    await until('all news has come', () => found.length === keys.length);
    expect(await Promise.all(found)).toEqual(keys.map(() => 'there'));
  });

  it('writes and reads many strings, wherever they are', async () => {
    const redis = await connected('cache');
    const bytes = Buffer.from([0xff, 0x00]);
    await setStrings(
      redis,
      KEYS.map((key) => [`${key}:m`, bytes]),
    );
    await setStrings(redis, []);
    const found = await getStrings(redis, [...KEYS.map((key) => `${key}:m`), '{a}:absent']);
    expect(found).toEqual([...KEYS.map(() => bytes), null]);
    expect(await getStrings(redis, [])).toEqual([]);
  });

  it('throws the first error of several commands, and runs the others', async () => {
    const redis = await connected('command');
    await redis.set('{a}:text', 'x');
    const failing = exec(redis, [
      ['set', '{b}:ran', '1'],
      ['lpush', '{a}:text', 'y'],
      ['incr', '{a}:text'],
      ['set', '{a}:ran', '1'],
    ]);
    await expect(failing).rejects.toThrow(/^WRONGTYPE/);
    expect(await Promise.all([redis.get('{a}:ran'), redis.get('{b}:ran')])).toEqual(['1', '1']);
  });

  it('runs a script with bytes and any number of keys, on every node, and after the server forgot it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'embedmill-script-'));
    const file = join(folder, 'append.lua');
    await writeFile(
      file,
      "redis.call('APPEND', KEYS[1], ARGV[1]) return {#KEYS, #ARGV, redis.call('STRLEN', KEYS[1])}",
    );
    const append = script('append-test', pathToFileURL(file));
    await rm(folder, { recursive: true });
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const [one, other] = [await connected('command'), await connected('worker')];
    for (const redis of [one, other]) {
      for (const key of KEYS) {
        await redis.del(`${key}:s`);
        expect(await append(redis, [`${key}:s`], [bytes])).toEqual([1, 1, 3]);
        expect(await append(redis, [`${key}:s`, `${key}:t`], [bytes, 7])).toEqual([2, 2, 6]);
        expect(await redis.getBuffer(`${key}:s`)).toEqual(Buffer.concat([bytes, bytes]));
      }
    }
    const nodes = one instanceof Cluster ? one.nodes('master') : [one];
    await Promise.all(nodes.map((node) => node.script('FLUSH', 'SYNC')));
    const again = await Promise.all(KEYS.map((key) => append(one, [`${key}:s`], ['x'])));
    expect(again).toEqual(KEYS.map(() => [1, 1, 7]));
  });

  it('carries messages as bytes to every subscriber', async () => {
    const [publisher, subscriber] = [await connected('command'), connectRedis(servers.url, 'subscriber', 'test')];
    clients.push(subscriber);
    const bytes = Buffer.from([0xff, 0x00, 0xfe]);
    const got = new Promise<Buffer>((resolve) => {
      subscriber.on('messageBuffer', (channel: Buffer, message: Buffer) => {
        if (String(channel) === 'news') resolve(message);
      });
    });
    await subscriber.subscribe('news');
    await publisher.publish('news', bytes);
    expect(await got).toEqual(bytes);
  });

  it('sends a command once, and repeats it only where work must not get lost', async () => {
    const sent = async (role: RedisRole, key: string) => {
      const redis = await connected(role);
      // Connects to the key's node.
      expect(await redis.get(key)).toBeNull();
      const nodes = redis instanceof Cluster ? redis.nodes('master') : [redis];
      const node = nodes.length === 1 ? nodes[0]! : nodes.find(({ options }) => options.port === servers.server.port)!;
      // The server has it in its hands and cannot answer any more.
      process.kill(servers.server.pid, 'SIGSTOP');
      const outcome = redis.incr(key).catch((error: unknown) => error);
      await new Promise<void>((resolve) => node.stream.write('', () => resolve()));
      node.stream.destroy();
      process.kill(servers.server.pid, 'SIGCONT');
      return outcome;
    };
    expect(isRedisAway(await sent('command', '{a}:once'))).toBe(true);
    expect(await sent('worker', '{a}:twice')).toBe(2);
    const redis = await connected('command');
    expect(await redis.get('{a}:once')).toBe('1');
  });

  it('fails a command at once while its server is away, where somebody waits; where work must not get lost it waits', async () => {
    const outages: Error[] = [];
    const command = await connected('command', (error) => outages.push(error));
    const worker = await connected('worker');
    const subscriber = connectRedis(servers.url, 'subscriber', 'test');
    clients.push(subscriber);
    const heard: string[] = [];
    subscriber.on('message', (_channel: string, message: string) => heard.push(message));
    await subscriber.subscribe('news');

    await servers.server.kill();
    const first = await until('a command fails', () =>
      command.set('{a}', 'w').then(
        () => undefined,
        (error: Error) => error,
      ),
    );
    expect(isRedisAway(first)).toBe(true);
    const kept = [
      worker.set('{a}:k', 'v'),
      exec(worker, [
        ['rpush', '{a}:list', 'x'],
        ['rpush', '{a}:list', 'y'],
      ]),
    ];
    const began = performance.now();
    for (let n = 0; n < 5; n++) {
      const error = await command.set('{a}', 'w').catch((reason: unknown) => reason);
      expect(isRedisAway(error)).toBe(true);
      const several = await exec(command, [
        ['set', '{a}', 'w'],
        ['get', '{a}'],
      ]).catch((reason: unknown) => reason);
      expect(isRedisAway(several)).toBe(true);
    }
    // Ten failures; one that waited for a time-out would take two seconds alone.
    expect(performance.now() - began).toBeLessThan(1500);
    await until('the outage was reported', () => outages.length > 0);
    expect(outages).toHaveLength(1);

    await servers.server.start();
    expect(await Promise.all(kept)).toEqual(['OK', [1, 2]]);
    await awaitRedis(command, 20_000);
    expect(await command.set('{a}', 'w')).toBe('OK');
    expect(await command.get('{a}:k')).toBe('v');
    await until('messages come again', async () => {
      await command.publish('news', 'again');
      return heard.includes('again');
    });
    expect(outages).toHaveLength(1);
  });
});
