import { findTokenBudget } from './token-budget.js';

/** A device's time for a batch, ms. */
type Device = (tokens: number) => number;

it.each<[string, Device, number, number]>([
  ['a processor that is as fast with small batches', (tokens) => tokens / 10, 256, 256],
  ['a processor whose cache is too small for large ones', (tokens) => 3 + tokens / (tokens > 600 ? 8 : 10), 256, 512],
  ['a GPU that needs much at once', (tokens) => 4 + tokens / 300, 512, 16_384],
  ['one too slow for more than it must take', (tokens) => 200 + tokens, 512, 512],
])('%s', async (_, device, least, budget) => {
  expect(await findTokenBudget(least, (tokens) => Promise.resolve(device(tokens)))).toBe(budget);
});

it('ends on a device that only gets faster', async () => {
  expect(await findTokenBudget(256, (tokens) => Promise.resolve(100 / tokens))).toBe(65_536);
});
