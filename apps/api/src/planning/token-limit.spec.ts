import { randomUUID } from 'node:crypto';
import { ANYBODY, embed, Keys } from '#contracts';
import { connectRedis, ModelRegistry } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { modelCard } from './model-card.fixture.js';
import type { Plan } from './planner.js';
import { TokenLimit } from './token-limit.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

it('a tokenizer that cannot run here is refused to the caller, and explained to the operator', async () => {
  const registry = new ModelRegistry(redis, new Keys(randomUUID()));
  const card = modelCard({ name: 'odd' });
  await registry.announce(card, { tokenizer: { model: { type: 'Nonsense' } }, config: {} });
  const reasons: string[] = [];
  const limit = new TokenLimit(registry, (reason) => reasons.push(reason));
  const spec = { prompt: '', truncate: 'end' };
  const plan = { caller: ANYBODY, card, lane: 'bulk', operation: embed, spec } as unknown as Plan;
  await expect(limit.tooLong(plan, ['a'])).rejects.toMatchObject({ status: 503, param: 'truncate' });
  expect(reasons).toEqual([expect.stringMatching(/^the tokenizer cannot be used: /)]);
  await limit.close();
});
