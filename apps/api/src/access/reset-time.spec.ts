import { resetTime } from './reset-time.js';

it.each([
  [0, '0ms'],
  [249.2, '250ms'],
  [1000, '1s'],
  [1449, '1.5s'],
  [59_990, '60s'],
  [60_000, '1m0s'],
  [360_000, '6m0s'],
  [61_200, '1m2s'],
])('%d ms are %s', (ms, text) => {
  expect(resetTime(ms)).toBe(text);
});
