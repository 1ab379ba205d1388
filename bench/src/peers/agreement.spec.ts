import { agreement, least, FULL_AGREEMENT } from './agreement.js';

describe('agreement', () => {
  const reference = Float32Array.from([1, 0, 0, 1, 1, 1]);

  it('is the least cosine, of whole and of cut texts apart', () => {
    const other = Float32Array.from([2, 0, 3, 4, 1, 0]);
    const found = agreement(reference, other, [false, false, true]);
    expect(found.whole).toBeCloseTo(0.8);
    expect(found.cut).toBeCloseTo(Math.SQRT1_2);
  });

  it('is none where vectors are missing or are no numbers', () => {
    expect(agreement(reference, reference.subarray(2), [false, false, false])).toEqual({ whole: -1, cut: -1 });
    expect(agreement(reference, Float32Array.from([1, 0, NaN, 1, 1, 1]), [false, false, true]).whole).toBe(-1);
  });

  it('keeps the lesser over runs', () => {
    expect(least({ whole: 0.9, cut: 1 }, { whole: 1, cut: 0.5 })).toEqual({ whole: 0.9, cut: 0.5 });
    expect(least(FULL_AGREEMENT, FULL_AGREEMENT)).toEqual(FULL_AGREEMENT);
  });
});
