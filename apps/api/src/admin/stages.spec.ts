import { stagesOf } from './stages.js';

const timings = { queueMs: 3, tokenizeMs: 1, batchMs: 2, inferenceMs: 10 };
const sum = (stages: readonly { ms: number }[]) => stages.reduce((total, { ms }) => total + ms, 0);

it('stages add up to the total: what no clock measured is the way back', () => {
  const stages = stagesOf(1, 20, timings);
  expect(stages.map(({ ms }) => ms)).toEqual([1, 3, 1, 2, 10, 3]);
  expect(sum(stages)).toBe(20);
});

it('clocks of two machines that differ make no stage longer than it can have been', () => {
  const stages = stagesOf(1, 20, { ...timings, queueMs: 60_000 });
  expect(stages.map(({ ms }) => ms)).toEqual([1, 6, 1, 2, 10, 0]);
});

it('of a request that the cache answered all is look-up', () => {
  expect(stagesOf(1, 2, null)).toEqual([{ stage: 'lookup', ms: 2 }]);
});
