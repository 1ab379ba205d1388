import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { startRedis } from '../../../test/support/redis.js';
import { AuditLog } from './audit-log.js';
import { connectRedis } from '#store';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');

afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('what operators did is listed page by page, newest first, and a foreign entry hides no other', async () => {
  const keys = new Keys(randomUUID());
  const log = new AuditLog(redis, keys);
  expect(await log.list(10)).toEqual({ entries: [], nextCursor: null });
  const before = Date.now() / 1000 - 5;
  for (let n = 0; n < 4; n++) {
    const actor = n === 0 ? null : { key_id: `k${n}`, name: null };
    await log.append({ actor, action: 'queue.pause', target: `model/${n}`, detail: '', request_id: `r${n}` });
  }
  await redis.xadd(keys.audit(), '*', 'entry', '{"of": "a later version"}');

  const first = await log.list(3);
  expect(first.entries.map(({ target }) => target)).toEqual(['model/3', 'model/2']);
  expect(first.entries[0]).toMatchObject({ actor: { key_id: 'k3', name: null }, request_id: 'r3' });
  expect(first.entries[0]!.at).toBeGreaterThan(before);
  const second = await log.list(3, first.nextCursor!);
  expect(second.entries.map(({ target, actor }) => [target, actor?.key_id])).toEqual([
    ['model/1', 'k1'],
    ['model/0', undefined],
  ]);
  expect(second.nextCursor).toBeNull();
});
