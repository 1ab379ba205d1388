import { type HistoryCounts, type HistoryName, waitName } from '#store';
import { addUp, loadSample, measure, seriesOf } from './measure.js';

const counts = (of: Partial<Record<HistoryName, number>>): HistoryCounts =>
  new Map(Object.entries(of) as [HistoryName, number][]);
const nameless: HistoryCounts = new Map();

it('counts become rates, ratios, means and seconds of backlog', () => {
  const measures = measure({
    seconds: 2,
    counts: counts({
      'texts': 100,
      'tokens': 900,
      'padded': 1000,
      'hits': 3,
      'misses': 1,
      'failed': 1,
      'faults': 2,
      'samples': 2,
      'waiting': 20_000,
      'tasks.bulk': 30,
      'jobs.bulk': 1000,
      [waitName(0.05)]: 10,
    }),
    nameless: counts({ faults: 4 }),
  });
  expect(measures).toMatchObject({
    tasks: { interactive: 0, bulk: 15 },
    texts: { interactive: 10, bulk: 500 },
    backlog_seconds: { interactive: 0.2, bulk: 10 },
    texts_per_second: 50,
    tokens_per_second: 450,
    cache_hit_ratio: 0.75,
    fill: 0.9,
    errors: 7,
  });
  expect(measures.wait_p50_seconds).toBeCloseTo(0.05, 2);
  expect(measures.wait_p99_seconds).toBe(measures.wait_p50_seconds);
});

it('what was not measured is null: work without a rate, ratios of nothing, steps of which nothing is known', () => {
  const idle = measure({ seconds: 2, counts: counts({ 'samples': 1, 'jobs.bulk': 5 }), nameless });
  expect(idle).toMatchObject({
    texts: { interactive: 0, bulk: 5 },
    backlog_seconds: { interactive: 0, bulk: null },
    texts_per_second: 0,
    cache_hit_ratio: null,
    wait_p95_seconds: null,
    fill: null,
    errors: 0,
  });
  // A worker counted, and no API process looked at the queue.
  const alone = measure({ seconds: 2, counts: counts({ texts: 2 }), nameless });
  expect(alone).toMatchObject({ tasks: { bulk: null }, texts: { bulk: null }, texts_per_second: 1 });
  const series = seriesOf([measure({ seconds: 2, counts: null, nameless }), alone]);
  expect(series.texts_per_second).toEqual([null, 1]);
  expect(series.tasks.bulk).toEqual([null, null]);
});

it('a load sample is the unfinished texts of both lanes, by samples, and what was finished', () => {
  const seen = counts({ 'samples': 2, 'jobs.bulk': 1000, 'jobs.interactive': 20, 'waiting': 20_000, 'texts': 64 });
  expect(loadSample({ seconds: 2, counts: seen })).toEqual({ seconds: 2, unfinished: 520, finished: 64 });
  expect(loadSample({ seconds: 2, counts: counts({ texts: 64 }) })).toMatchObject({ unfinished: null, finished: 64 });
  expect(loadSample({ seconds: 2, counts: null })).toMatchObject({ unfinished: null, finished: null });
});

it('stretches add up, unless nothing is known of any', () => {
  expect(addUp([null, counts({ texts: 1 }), counts({ texts: 2, hits: 1 })])).toEqual(counts({ texts: 3, hits: 1 }));
  expect(addUp([null, null])).toBeNull();
});
