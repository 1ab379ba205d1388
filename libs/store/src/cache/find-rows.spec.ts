import { embed, encodeRow, inputHash, Keys, type Operation, rowsOfFloats, type Spec, specHash } from '#contracts';
import { cacheKeyOf, findRows } from './find-rows.js';
import { MemoryCache } from './memory-cache.js';

const THREE = rowsOfFloats(3);
const ROW = encodeRow(Float32Array.of(1, 2, 3), 5, true);
const LONGER = encodeRow(Float32Array.of(1, 2, 3, 4), 5, false);
const UNWRITTEN = encodeRow(Float32Array.of(1, 2, 3), 0, true);

async function cacheOf(entries: Record<string, Buffer>): Promise<MemoryCache> {
  const cache = new MemoryCache(1 << 20);
  await cache.setMany(Object.entries(entries));
  return cache;
}

it('finds rows by key, in order, and takes whatever is no row of this kind for a miss', async () => {
  const cache = await cacheOf({
    good: ROW,
    longer: LONGER,
    shorter: ROW.subarray(0, -1),
    unwritten: UNWRITTEN,
    empty: Buffer.alloc(0),
    scrap: Buffer.from('no'),
  });
  const keys = ['unwritten', 'good', 'longer', 'none', 'shorter', 'empty', 'scrap', 'good'];
  expect(await findRows(cache, keys, THREE)).toEqual([null, ROW, null, null, null, null, null, ROW]);
});

it('finds rows of different lengths within their bounds', async () => {
  const cache = await cacheOf({ good: ROW, longer: LONGER, unwritten: UNWRITTEN });
  const bounds = { least: ROW.length, most: LONGER.length };
  expect(await findRows(cache, ['longer', 'unwritten', 'good'], bounds)).toEqual([LONGER, null, ROW]);
});

describe('the cache key of an input', () => {
  const keys = new Keys('test');
  const spec: Spec = { operation: 'embed', fingerprint: 'f'.repeat(64), prompt: '', truncate: 'end' };

  it('is made of its spec and of what its operation says stands for it', () => {
    const upper: Operation<string> = { ...embed, key: (text) => text.toUpperCase() };
    expect(cacheKeyOf(keys, embed, spec)('a')).toBe(keys.row(specHash(spec), inputHash('a')));
    expect(cacheKeyOf(keys, upper, spec)('a')).toBe(keys.row(specHash(spec), inputHash('A')));
  });

  it('differs between operations over one model', () => {
    const other = { ...spec, operation: 'sparse' };
    expect(cacheKeyOf(keys, embed, spec)('a')).not.toBe(cacheKeyOf(keys, embed, other)('a'));
  });
});
