import { collect } from '../../../../test/support/collect.js';
import { partsOf } from './parts.js';
import type { TextRecord } from './text-records.js';

async function* records(...texts: TextRecord['text'][]): AsyncGenerator<TextRecord> {
  for (const [n, text] of texts.entries()) yield { text, id: null, end: 10 * (n + 1) };
}

describe('partsOf', () => {
  it('cuts by texts and by bytes, and tells where each part ends', async () => {
    const limits = { texts: 3, bytes: 20 };
    const parts = await collect(partsOf(records('a', 'b', 'c', 'd', 'x'.repeat(50), 'e'), 100, limits));
    expect(parts.map(({ end, first, texts }) => [first, texts.length, end])).toEqual([
      [100, 3, 30],
      [103, 1, 40],
      [104, 1, 50],
      [105, 1, 60],
    ]);
  });

  it('keeps the place of what cannot be sent', async () => {
    const fault = { code: 'empty_text', message: 'an empty text' };
    const [part] = await collect(partsOf(records('a', fault, 'é"'), 0, { texts: 9, bytes: 99 }));
    expect(part!.texts.map(({ text }) => text)).toEqual(['a', fault, 'é"']);
  });

  it('gives none for no records', async () => {
    expect(await collect(partsOf(records(), 0, { texts: 9, bytes: 99 }))).toEqual([]);
  });
});
