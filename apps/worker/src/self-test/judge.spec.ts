import { defectOf, differenceOf } from './judge.js';

const embedded = (...values: number[]) =>
  ({ ok: true, vector: Float32Array.from(values), tokens: 3, truncated: false }) as const;

it('finds vectors that cannot be right', () => {
  expect(defectOf(embedded(1, 2))).toBeNull();
  expect(defectOf(embedded(1, NaN))).toMatch(/no numbers/);
  expect(defectOf(embedded(0, 0))).toMatch(/zeros/);
  expect(defectOf({ ok: false, error: { code: 'inference_failed', message: 'broken' } })).toMatch(/broken/);
  expect(defectOf(undefined)).toMatch(/no vector/);
});

it('compares by direction, as closely as the dtype allows', () => {
  const reference = Float32Array.of(1, 0);
  expect(differenceOf(Float32Array.of(2, 0), reference, 'fp32')).toBeNull();
  const near = Float32Array.of(1, 0.05);
  expect(differenceOf(near, reference, 'fp32')).toMatch(/cosine 0\.998/);
  expect(differenceOf(near, reference, 'int8')).toBeNull();
  expect(differenceOf(Float32Array.of(1, 0, 0), reference, 'int8')).toMatch(/3 dimensions/);
  expect(differenceOf(Float32Array.of(-1, 0), reference, 'int8')).toMatch(/-1\.0000/);
});
