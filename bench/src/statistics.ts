import { percentile } from '../../apps/cli/src/bench/percentile.js';

export { percentile };

/** Median of a non-empty list. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** `median (min..max)`, with the given number of decimals. */
export function spread(values: readonly number[], decimals = 0): string {
  const format = (value: number) =>
    value.toLocaleString('en-US', { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return `${format(median(values))} (${format(Math.min(...values))}..${format(Math.max(...values))})`;
}
