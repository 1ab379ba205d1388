import { percentile } from './percentile.js';

describe('percentile', () => {
  it('lies between the two closest ranks', () => {
    expect(percentile([4, 1, 3, 2], 0.5)).toBe(2.5);
    expect(percentile([10, 20], 0.95)).toBeCloseTo(19.5);
    expect(percentile([7], 0.99)).toBe(7);
  });
});
