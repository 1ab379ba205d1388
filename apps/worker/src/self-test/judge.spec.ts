import { encodeRow } from '#contracts';
import { defectOf, differenceOf } from './judge.js';

const rowOf = (...values: number[]) => encodeRow(Float32Array.from(values), 3, false);

it('finds rows that cannot be right', () => {
  expect(defectOf(rowOf(1, 2))).toBeNull();
  expect(defectOf(rowOf(1, NaN))).toMatch(/no numbers/);
  expect(defectOf(rowOf(0, 0))).toMatch(/zeros/);
  expect(defectOf({ code: 'inference_failed', message: 'broken' })).toMatch(/broken/);
  expect(defectOf(undefined)).toMatch(/no row/);
});

it('compares by distance, as closely as the dtype allows', () => {
  const reference = Float32Array.of(2, 0);
  expect(differenceOf(Float32Array.of(2, 0), reference, 'fp32')).toBeNull();
  const near = Float32Array.of(2, 0.05);
  expect(differenceOf(near, reference, 'fp32')).toMatch(/0\.0250/);
  expect(differenceOf(near, reference, 'fp16')).toBeNull();
  expect(differenceOf(near, reference, 'int8')).toBeNull();
  expect(differenceOf(Float32Array.of(2, 0, 0), reference, 'int8')).toMatch(/3 numbers instead of 2/);
  expect(differenceOf(Float32Array.of(-2, 0), reference, 'int8')).toMatch(/2\.0000/);
});

it('finds a row of another length wrong even where its direction is right: scores have no direction', () => {
  expect(differenceOf(Float32Array.of(4, 0), Float32Array.of(2, 0), 'int8')).toMatch(/1\.0000/);
  expect(differenceOf(Float32Array.of(-1.5), Float32Array.of(1.5), 'int8')).toMatch(/2\.0000/);
  expect(differenceOf(Float32Array.of(0.1), Float32Array.of(0), 'int8')).toBeNull();
  expect(differenceOf(Float32Array.of(0.3), Float32Array.of(0), 'int8')).toMatch(/0\.3000/);
});

it('agrees with a cosine of 0.9999, 0.999 and 0.98 for vectors of one length', () => {
  const reference = Float32Array.of(1, 0);
  const at = (cosine: number) => Float32Array.of(cosine, Math.sqrt(1 - cosine ** 2));
  for (const [dtype, cosine] of [
    ['fp32', 0.9999],
    ['fp16', 0.999],
    ['int8', 0.98],
  ] as const) {
    expect(differenceOf(at(1 - (1 - cosine) * 0.99), reference, dtype)).toBeNull();
    expect(differenceOf(at(1 - (1 - cosine) * 1.02), reference, dtype)).not.toBeNull();
  }
});
