import { randomUUID } from 'node:crypto';
import { BootError, Keys, SCHEMA_VERSION } from '#contracts';
import { startRedis } from '../../../../test/support/redis.js';
import { connectRedis } from './client.js';
import { agreeOnSchema } from './schema.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
let keys: Keys;

beforeEach(() => {
  keys = new Keys(randomUUID());
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const version = () => redis.get(keys.schema());

it('writes its version into a Redis that holds nothing, once for all processes', async () => {
  await Promise.all([agreeOnSchema(redis, keys), agreeOnSchema(redis, keys)]);
  expect(await version()).toBe(String(SCHEMA_VERSION));
  await agreeOnSchema(redis, keys);
  expect(await version()).toBe(String(SCHEMA_VERSION));
});

it('takes over what 0.1.0 kept, which names no version, and leaves it as it is', async () => {
  const job = { id: 'job_a', state: 'running', rowDimensions: '3' };
  await redis.hset(keys.job('job_a'), job);
  await agreeOnSchema(redis, keys);
  expect(await version()).toBe(String(SCHEMA_VERSION));
  expect(await redis.hgetall(keys.job('job_a'))).toEqual(job);
});

it('refuses data of a newer version, in one line that says what to do, and leaves them alone', async () => {
  await redis.set(keys.schema(), SCHEMA_VERSION + 1);
  const refused = await agreeOnSchema(redis, keys).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(BootError);
  const { message } = refused as BootError;
  expect(message).toContain(`format ${SCHEMA_VERSION + 1} (${keys.schema()})`);
  expect(message).toContain('EMBED_KEY_PREFIX');
  expect(message).not.toContain('\n');
  expect(await version()).toBe(String(SCHEMA_VERSION + 1));
});

it('minds only data of its own prefix', async () => {
  await redis.set(new Keys(randomUUID()).schema(), SCHEMA_VERSION + 1);
  await expect(agreeOnSchema(redis, keys)).resolves.toBeUndefined();
});
