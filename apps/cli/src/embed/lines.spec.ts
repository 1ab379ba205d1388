import fc from 'fast-check';
import { collect } from '../../../../test/support/collect.js';
import { type Line, linesOf } from './lines.js';

async function* inChunks(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function linesIn(text: string, chunk = 7, start = 0): Promise<Line[]> {
  return collect(linesOf(inChunks(Buffer.from(text), chunk), start, 100));
}

describe('linesOf', () => {
  it('takes LF and CRLF off, keeps empty lines, and needs no line break at the end', async () => {
    const lines = await linesIn('a\r\n\nbé\nlast', 2, 10);
    expect(lines.map(({ bytes }) => bytes.toString())).toEqual(['a', '', 'bé', 'last']);
    expect(lines.map(({ end }) => end)).toEqual([13, 14, 18, 22]);
  });

  it('tells ends from which the rest can be read, however the bytes are chunked', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ maxLength: 8 }), { maxLength: 8 }),
        fc.integer({ min: 1, max: 9 }),
        async (parts, size) => {
          const bytes = Buffer.from(parts.join('\n'));
          const lines = await collect(linesOf(inChunks(bytes, size), 0, 100));
          for (const [n, { end }] of lines.entries()) {
            const rest = await collect(linesOf(inChunks(bytes.subarray(end), 64), end, 100));
            expect(rest).toEqual(lines.slice(n + 1));
          }
          expect(lines.at(-1)?.end ?? 0).toBe(bytes.length);
        },
      ),
    );
  });

  it('does not hold a line that never ends', async () => {
    await expect(linesIn('x'.repeat(200))).rejects.toThrow('more than 100 bytes');
  });
});
