import { randomUUID } from 'node:crypto';
import { Keys } from '#contracts';
import { connectRedis, ModelRegistry } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { modelCard } from './model-card.fixture.js';
import { PromptLimit } from './prompt-limit.js';
import { TokenLimit } from './token-limit.js';

/** One token for each word, and no special tokens. */
const WORDS = {
  added_tokens: [],
  normalizer: null,
  pre_tokenizer: { type: 'WhitespaceSplit' },
  post_processor: null,
  decoder: null,
  model: { type: 'WordLevel', vocab: { '[UNK]': 0, 'a': 1 }, unk_token: '[UNK]' },
};

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const registry = new ModelRegistry(redis, new Keys(randomUUID()));
const reasons: string[] = [];
const tokens = new TokenLimit(registry, (reason) => reasons.push(reason));
const limit = new PromptLimit(tokens);
const card = modelCard({ name: 'words', maxTokens: 20 });
const chosen = (text: string) => ({ name: 'p', text });

beforeAll(() => registry.announce(card, { tokenizer: WORDS, config: {} }));
afterAll(async () => {
  await tokens.close();
  redis.disconnect();
  await server.stop();
});

it('a prompt that leaves a text one token is taken, a longer one is refused by its field', async () => {
  await limit.require(card, chosen('a '.repeat(19)), { prompt_name: 'p' }, 'bulk');
  const long = chosen('a '.repeat(20));
  const refused = (wishes: object) => limit.require(card, long, wishes, 'bulk');
  await expect(refused({ prompt_name: 'p' })).rejects.toMatchObject({ code: 'prompt_too_long', param: 'prompt_name' });
  await expect(refused({ input_type: 'p' })).rejects.toMatchObject({ status: 400, param: 'input_type' });
  await expect(refused({ input_type: 'query', instruction: 'a' })).rejects.toMatchObject({ param: 'instruction' });
  await expect(refused({})).rejects.toMatchObject({
    param: 'prompt_name',
    message: expect.stringMatching(/^The model's default prompt has 20 tokens .* model "words" takes 20\. Use another/),
  });
});

it('one that cannot be counted here is left to the worker', async () => {
  const odd = modelCard({ name: 'odd', fingerprint: 'd'.repeat(64), maxTokens: 20 });
  // No worker has announced its tokenizer.
  await limit.require(odd, chosen('a '.repeat(20)), {}, 'bulk');
  expect(reasons).toEqual([]);
  await registry.announce(odd, { tokenizer: { model: { type: 'Nonsense' } }, config: {} });
  // Short enough in any tokenizer: its own is not started.
  await limit.require(odd, chosen('query: '), {}, 'bulk');
  expect(reasons).toEqual([]);
  await limit.require(odd, chosen('a '.repeat(20)), {}, 'bulk');
  expect(reasons).toHaveLength(1);
});
