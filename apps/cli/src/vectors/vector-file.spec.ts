import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC, type Vector } from 'apache-arrow';
import { npyHeader } from '#contracts';
import { requireFormat, vectorFile } from './vector-file.js';
import type { VectorRow } from './vector-row.js';

const DIMENSIONS = 3;
const FAULT = { code: 'empty_text', message: 'an empty text' };
const folder = mkdtempSync(join(tmpdir(), 'embedmill-vectors-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROWS: VectorRow[] = Array.from({ length: 10 }, (_, index) => ({
  index,
  id: index === 4 ? null : `é${index}`,
  vector: index === 3 ? FAULT : Float32Array.of(index, 0.1, -index),
}));

/** Written in portions, with interruptions: each time somebody else has written something behind the mark. */
async function write(name: string, interruptions: readonly number[]): Promise<Buffer> {
  const path = join(folder, name);
  let file = vectorFile(name, path, DIMENSIONS);
  await file.open(null);
  for (const [n, row] of ROWS.entries()) {
    if (interruptions.includes(n)) {
      const mark = await file.mark();
      await file.append([row]);
      await file.close();
      appendFileSync(path, 'half a row');
      file = vectorFile(name, path, DIMENSIONS);
      await file.open(JSON.parse(JSON.stringify(mark)) as typeof mark);
    }
    await file.append([row]);
  }
  await file.mark();
  await file.finish();
  return readFileSync(path);
}

describe.each(['a.npy', 'a.jsonl', 'a.arrow'])('%s', (name) => {
  it('is the same file for a run that was interrupted', async () => {
    const interrupted = await write(name, [0, 1, 5, 9]);
    // Arrow's marks end a record batch: the same rows stand in more of them.
    if (name === 'a.arrow') expect(rowsOf(interrupted)).toEqual(rowsOf(await write(name, [])));
    else expect(interrupted).toEqual(await write(name, []));
  });
});

it('.npy has the header of its shape, and NaN for a text without a vector', async () => {
  const bytes = await write('b.npy', [2]);
  const header = npyHeader(ROWS.length, DIMENSIONS);
  expect(bytes.subarray(0, header.length)).toEqual(header);
  const floats = new Float32Array(new Uint8Array(bytes.subarray(header.length)).buffer);
  expect(floats).toHaveLength(ROWS.length * DIMENSIONS);
  expect([...floats.subarray(6, 12)]).toEqual([2, Math.fround(0.1), -2, Number.NaN, Number.NaN, Number.NaN]);
});

it('.jsonl has index, id, and embedding or error', async () => {
  const lines = (await write('b.jsonl', [])).toString().trimEnd().split('\n');
  expect(lines).toHaveLength(ROWS.length);
  expect(JSON.parse(lines[3]!)).toEqual({ index: 3, id: 'é3', embedding: null, error: FAULT });
  expect(JSON.parse(lines[4]!)).toEqual({ index: 4, embedding: [4, Math.fround(0.1), -4] });
});

it('.arrow is read back by Arrow', async () => {
  const rows = rowsOf(await write('b.arrow', [5]));
  expect(rows).toHaveLength(ROWS.length);
  expect(rows[3]).toEqual({ index: 3n, id: 'é3', embedding: null, error: 'empty_text: an empty text' });
  expect(rows[4]).toEqual({ index: 4n, id: null, embedding: [4, Math.fround(0.1), -4], error: null });
});

it('other names stand for no format', () => {
  expect(() => requireFormat('vectors.parquet')).toThrow('must end in one of .npy, .jsonl');
});

function rowsOf(file: Buffer) {
  const table = tableFromIPC(file);
  return Array.from({ length: table.numRows }, (_, n) => {
    const at = (column: string) => table.getChild(column)?.get(n) as unknown;
    const embedding = at('embedding') as Vector | null;
    return { index: at('index'), id: at('id'), embedding: embedding && [...embedding], error: at('error') };
  });
}
