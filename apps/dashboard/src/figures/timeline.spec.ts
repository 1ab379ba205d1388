import type { History, HistorySeries, LaneView, Snapshot } from '#contracts';
import { peak, timelineOf, withSnapshot } from './timeline.js';

const lanes = (values: (number | null)[]) => ({ interactive: values, bulk: values });
const series = (values: (number | null)[]): HistorySeries => ({
  tasks: lanes(values),
  texts: lanes(values),
  backlog_seconds: lanes(values),
  texts_per_second: values,
  tokens_per_second: values,
  cache_hit_ratio: values,
  wait_p50_seconds: values,
  wait_p95_seconds: values,
  wait_p99_seconds: values,
  fill: values,
  errors: values,
});
const history = (models: Record<string, HistorySeries>): History => ({
  range: '5m',
  step_seconds: 2,
  times: [100, 102, 104],
  models,
});
const lane = (texts: number): LaneView => ({
  waiting: 2,
  active: 1,
  delayed: 1,
  failed: 0,
  texts,
  backlog_seconds: null,
  oldest_age_seconds: null,
  paused: false,
});
const snapshot = (at: number, names: string[]): Snapshot => ({
  at,
  redis: 'up',
  cache: 'up',
  jobs_active: 0,
  models: names.map((name) => ({
    name,
    fingerprint: null,
    ready_workers: 1,
    verdict: {
      state: 'working',
      message: 'Working through 77 texts',
      reason: '',
      unfinished_texts: 77,
      backlog_seconds: null,
      seconds_left: null,
      arrival_texts_per_second: null,
      service_texts_per_second: null,
    },
    lanes: { interactive: lane(7), bulk: lane(70) },
    texts_per_second: 9,
    tokens_per_second: 90,
    cache_hit_ratio: null,
    wait_seconds: { p50: 1, p95: 2, p99: 3 },
    fill: 0.9,
    errors_per_minute: 6,
  })),
  workers: [],
});

describe('timeline', () => {
  it('counts errors a minute, loaded ones too', () => {
    const timeline = withSnapshot(timelineOf(history({ m: series([0, null, 1]) }), 150), snapshot(106, ['m']));
    expect(timeline.models['m']!.errors).toEqual([0, null, 1, 6]);
    const [errors] = Object.values(timelineOf(history({ m: series([1, 0, 2]) }), 150).models).map((m) => m.errors);
    expect(errors).toEqual([1, 1, 3]);
    const day: History = { ...history({ m: series([5, 10, 0]) }), range: '24h', step_seconds: 600 };
    expect(timelineOf(day, 144).models['m']!.errors).toEqual([0.5, 1, 0]);
  });

  it('goes on with what a snapshot tells', () => {
    const { times, models } = withSnapshot(timelineOf(history({ m: series([1, 2, 3]) }), 150), snapshot(106, ['m']));
    expect(times).toEqual([100, 102, 104, 106]);
    expect(models['m']!.texts).toEqual({ interactive: [1, 2, 3, 7], bulk: [1, 2, 3, 70] });
    expect(models['m']!.tasks.bulk.at(-1)).toBe(4);
    expect(models['m']!.backlog_seconds.bulk.at(-1)).toBeNull();
    expect(models['m']!.wait_p99_seconds.at(-1)).toBe(3);
  });

  it('leaves a gap for a silence', () => {
    const { times, models } = withSnapshot(timelineOf(history({ m: series([1, 2, 3]) }), 150), snapshot(140, ['m']));
    expect(times).toEqual([100, 102, 104, 106, 140]);
    expect(models['m']!.fill).toEqual([1, 2, 3, null, 0.9]);
  });

  it('forgets what has left the window', () => {
    const { times, models } = withSnapshot(timelineOf(history({ m: series([1, 2, 3]) }), 2), snapshot(106, ['m']));
    expect(times).toEqual([104, 106]);
    expect(models['m']!.fill).toEqual([3, 0.9]);
  });

  it('does not take the same snapshot twice', () => {
    const once = withSnapshot(timelineOf(history({ m: series([1, 2, 3]) }), 150), snapshot(106, ['m']));
    expect(withSnapshot(once, snapshot(106, ['m']))).toBe(once);
  });

  it('keeps columns of one length when models come and go', () => {
    const { times, models } = withSnapshot(
      timelineOf(history({ old: series([1, 2, 3]) }), 150),
      snapshot(106, ['new']),
    );
    expect(times).toHaveLength(4);
    expect(models['old']!.fill).toEqual([1, 2, 3, null]);
    expect(models['new']!.fill).toEqual([null, null, null, 0.9]);
  });
});

describe('peak', () => {
  it('passes over what is not known', () => {
    expect(peak([null, 2, null, 5, 1])).toBe(5);
    expect(peak([null])).toBeNull();
  });
});
