import { startRedis } from '../../../test/support/redis.js';
import { until } from '../../../test/support/until.js';
import { BootError } from '#contracts';
import { awaitRedis } from './await-redis.js';
import { connectRedis } from './connect-redis.js';

const server = await startRedis();
afterAll(() => server.stop());

it('tells of an outage once, and of the next one again', async () => {
  const outages: Error[] = [];
  const redis = connectRedis(server.url, 'command', 'test', { onOutage: (error) => outages.push(error) });
  await awaitRedis(redis, 10_000);
  for (const expected of [1, 2]) {
    let attempts = 0;
    const count = () => attempts++;
    redis.on('reconnecting', count);
    await server.kill();
    await until('it tried several times', () => attempts >= 3);
    expect(outages).toHaveLength(expected);
    redis.off('reconnecting', count);
    await server.start();
    await awaitRedis(redis, 10_000);
  }
  expect(await redis.client('GETNAME')).toBe('test');
  redis.disconnect();
});

it('fails a command at once while Redis is away, where somebody waits; where work must not get lost it waits', async () => {
  const command = connectRedis(server.url, 'command', 'test');
  const worker = connectRedis(server.url, 'worker', 'test');
  await Promise.all([awaitRedis(command, 10_000), awaitRedis(worker, 10_000)]);
  await server.kill();
  await until('both noticed', () => command.status !== 'ready' && worker.status !== 'ready');
  const kept = worker.set('k', 'v');
  await expect(command.set('k', 'w')).rejects.toThrow();
  await server.start();
  expect(await kept).toBe('OK');
  expect(await worker.get('k')).toBe('v');
  command.disconnect();
  worker.disconnect();
});

it('gives up on a Redis that is not there, in one line that says where it was looked for', async () => {
  await server.kill();
  const redis = connectRedis(server.url, 'command', 'test');
  const problem = await awaitRedis(redis, 300).catch((error: unknown) => error);
  expect(problem).toBeInstanceOf(BootError);
  expect((problem as BootError).message).toContain(`127.0.0.1:${server.port}`);
  expect((problem as BootError).message).not.toContain('\n');
  redis.disconnect();
  await server.start();
});
