import fc from 'fast-check';
import { ApiError } from '#contracts';
import { type NdjsonLine, ndjsonLines } from './ndjson-lines.js';

const LIMIT = 1000;

async function* chunked(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let start = 0;
  for (let turn = 0; start < bytes.length; turn++) {
    const size = sizes.length === 0 ? bytes.length : sizes[turn % sizes.length]!;
    yield bytes.subarray(start, start + size);
    start += size;
  }
}

async function linesOf(bytes: Buffer | string, sizes: readonly number[] = [], limit = LIMIT): Promise<NdjsonLine[]> {
  const lines: NdjsonLine[] = [];
  for await (const line of ndjsonLines(chunked(Buffer.from(bytes as string), sizes), limit)) lines.push(line);
  return lines;
}

async function faultOf(bytes: Buffer | string, limit = LIMIT): Promise<ApiError> {
  const fault = await linesOf(bytes, [7], limit).then(
    () => null,
    (error: unknown) => error,
  );
  if (!(fault instanceof ApiError)) throw new Error('no ApiError', { cause: fault });
  return fault;
}

describe('lines of an upload', () => {
  it('are the same however the bytes are chunked', async () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).map((line) => line.replaceAll(/[\r\n]/g, ' '));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(text, fc.constantFrom('\n', '\r\n')), { maxLength: 20 }),
        text,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 }),
        async (ended, last, sizes) => {
          const expected = [...ended.map(([line]) => line), last]
            .map((line, index) => ({ number: index + 1, text: JSON.stringify(line) }))
            .filter(({ number }) => number % 3 !== 0);
          const upload = [...ended, [last, ''] as const]
            .map(([line, ending], index) => ((index + 1) % 3 === 0 ? '' : JSON.stringify(line)) + ending)
            .join('');
          expect(await linesOf(upload, sizes)).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('end in LF or CRLF, the last in either or none', async () => {
    const expected = [
      { number: 1, text: '"a"' },
      { number: 2, text: '"b"' },
    ];
    expect(await linesOf('"a"\r\n"b"')).toEqual(expected);
    expect(await linesOf('"a"\n"b"\n')).toEqual(expected);
    expect(await linesOf('"a"\r\n"b"\r\n', [1])).toEqual(expected);
  });

  it('count blank ones without giving them', async () => {
    expect(await linesOf('\n  \n"a"\n\r\n\t\n"b"')).toEqual([
      { number: 3, text: '"a"' },
      { number: 6, text: '"b"' },
    ]);
    expect(await linesOf('')).toEqual([]);
  });

  it('may begin with a byte order mark', async () => {
    expect(await linesOf('\ufeff"a"\n"\ufeffb"')).toEqual([
      { number: 1, text: '"a"' },
      { number: 2, text: '"\ufeffb"' },
    ]);
  });

  it('come before a fault in a later one', async () => {
    const seen: number[] = [];
    await expect(async () => {
      for await (const line of ndjsonLines(chunked(Buffer.from('"a"\n"b"\n"\xff"', 'latin1'), [4]), LIMIT)) {
        seen.push(line.number);
      }
    }).rejects.toThrow('Line 3 is not valid UTF-8.');
    expect(seen).toEqual([1, 2]);
  });

  it('are refused when they are not UTF-8, by number', async () => {
    const fault = await faultOf(Buffer.from('"a"\n\n"caf\xe9"\n"b"', 'latin1'));
    expect(fault).toMatchObject({ status: 400, code: 'invalid_utf8', param: 'line 3' });
  });

  it('are refused when a character breaks off at their end', async () => {
    const fault = await faultOf(Buffer.concat([Buffer.from('"a"\n'), Buffer.from('"é').subarray(0, 2)]));
    expect(fault).toMatchObject({ code: 'invalid_utf8', param: 'line 2' });
  });

  it('are refused when they are too long, before their end has come', async () => {
    expect(await linesOf(`"${'a'.repeat(18)}"\n`, [7], 20)).toHaveLength(1);
    expect(await faultOf(`"b"\n"${'a'.repeat(19)}"\n`, 20)).toMatchObject({
      status: 400,
      code: 'line_too_long',
      param: 'line 2',
      message: 'Line 2 is longer than the 20 bytes a line may have.',
    });

    async function* endless(): AsyncGenerator<Buffer> {
      for (;;) yield Buffer.from('aaaaaaaa');
    }
    await expect(ndjsonLines(endless(), LIMIT).next()).rejects.toMatchObject({ param: 'line 1' });
  });
});
