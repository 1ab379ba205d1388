import { z } from 'zod';
import { embed, embedCard } from '../operations/embed.js';
import { type ModelCard, readModelCard } from './model-card.js';

const EMBED = { dimensions: 384, pooling: 'mean', normalize: true, matryoshka: [128] } as const;
const BASE = {
  name: 'org/m',
  fingerprint: 'f'.repeat(64),
  source: 'npm:m',
  dtype: 'fp16',
  maxTokens: 256,
  prompts: { query: 'q: ' },
  createdAt: 1,
} as const;
const CARD = { ...BASE, operations: { embed: EMBED } };

it('reads what it writes', () => {
  expect(readModelCard(JSON.parse(JSON.stringify(CARD)))).toEqual(CARD);
});

it('reads a card of 0.1.0, where what is said of embedding stands among the rest', () => {
  expect(readModelCard({ ...BASE, ...EMBED })).toEqual(CARD);
});

it('has several poolings as one word, which no other word may be in', () => {
  const card = { ...CARD, operations: { embed: { ...EMBED, pooling: 'cls+mean_sqrt_len_tokens+lasttoken' } } };
  expect(readModelCard(card)).toEqual(card);
  for (const pooling of ['', 'cls+', 'median', 'cls,mean', ['cls']]) {
    expect(() => readModelCard({ ...CARD, operations: { embed: { ...EMBED, pooling } } })).toThrow(z.ZodError);
  }
});

it('keeps what operations of other versions say', () => {
  const card = { ...BASE, operations: { rerank: { labels: 1 } } };
  expect(readModelCard(card)).toEqual(card);
});

it.each([
  ['nothing', {}],
  ['no operations', BASE],
  ['half a card of 0.1.0', { ...BASE, dimensions: 384 }],
  ['no dimensions', { ...BASE, operations: { embed: { ...EMBED, dimensions: 0 } } }],
])('refuses what is none: %s', (_, json) => {
  expect(() => readModelCard(json)).toThrow(z.ZodError);
});

it('says whether a model embeds, and how long its rows are', () => {
  const card = readModelCard(CARD);
  expect(embed.isServedBy(card)).toBe(true);
  expect(embed.rowBytes(card)).toEqual({ least: 4 + 4 * 384, most: 4 + 4 * 384 });
  const other: ModelCard = { ...card, operations: {} };
  expect(embed.isServedBy(other)).toBe(false);
  expect(() => embedCard(other)).toThrow('model "org/m" does not embed');
});
