import fc from 'fast-check';
import { collect } from '../../../test/support/collect.js';
import { linesOf, ndjsonChunks, ndjsonOf } from './ndjson.js';

async function* inChunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

describe('NDJSON', () => {
  it('comes back as it went out, however it is chunked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' })),
        fc.integer({ min: 1, max: 9 }),
        async (texts, size) => {
          const lines = await collect(linesOf(inChunks(Buffer.from(ndjsonOf(texts)), size)));
          expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(texts);
        },
      ),
    );
  });

  it('is the same in chunks, of which none is large', async () => {
    const texts = Array.from({ length: 5000 }, (_, n) => `text ${n} "quoted"\n`);
    const chunks = await collect(ndjsonChunks(texts));
    expect(Buffer.concat(chunks).toString()).toBe(ndjsonOf(texts));
    expect(Math.max(...chunks.map(({ length }) => length))).toBeLessThan(70_000);
    expect(chunks.length).toBeGreaterThan(1);
  });

  it('needs no line break at the end', async () => {
    expect(await collect(linesOf(inChunks(Buffer.from('"a"\n"é"'), 1)))).toEqual(['"a"', '"é"']);
  });

  it('does not hold a line that never ends', async () => {
    const endless = Array.from({ length: 3 }, () => new Uint8Array(8 * 1024 * 1024).fill(120));
    const chunks = (async function* () {
      yield* endless;
    })();
    await expect(collect(linesOf(chunks))).rejects.toThrow('a line has more than 16777216 characters');
  });
});
