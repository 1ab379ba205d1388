import type { LaneView, ModelView } from '#contracts';
import { backlogWords, verdictOf } from './verdict.js';

const lane = (changes: Partial<LaneView> = {}): LaneView => ({
  waiting: 0,
  active: 0,
  delayed: 0,
  failed: 0,
  texts: 0,
  backlog_seconds: 0,
  oldest_age_seconds: null,
  paused: false,
  ...changes,
});
const model = (bulk: Partial<LaneView>, changes: Partial<ModelView> = {}): ModelView => ({
  name: 'm',
  fingerprint: null,
  ready_workers: 1,
  verdict: {
    state: 'idle',
    message: 'Idle',
    reason: '',
    unfinished_texts: 0,
    backlog_seconds: 0,
    seconds_left: 0,
    arrival_texts_per_second: null,
    service_texts_per_second: null,
  },
  lanes: { interactive: lane(), bulk: lane(bulk) },
  texts_per_second: 100,
  tokens_per_second: 1000,
  cache_hit_ratio: null,
  wait_seconds: null,
  fill: null,
  errors_per_minute: 0,
  ...changes,
});
const times = [0, 30, 60, 90, 120];
const texts = (bulk: (number | null)[]) => ({ interactive: bulk.map(() => 0), bulk });
const kind = (view: ModelView, bulk: (number | null)[]) => verdictOf(view, texts(bulk), times).kind;

describe('verdict', () => {
  it('is no workers before anything else', () => {
    expect(kind(model({ texts: 9, backlog_seconds: null }, { ready_workers: 0 }), [0, 0, 0, 0, 9])).toBe('no-workers');
  });

  it('is paused while a lane is', () => {
    const verdict = verdictOf(model({ texts: 9, paused: true }), undefined, []);
    expect(verdict.kind).toBe('paused');
    expect(verdict.because).toContain('The bulk lane');
  });

  it('is idle when nothing waits', () => {
    expect(kind(model({}), [9000, 9000, 90, 9, 0])).toBe('idle');
  });

  it('is falling behind when work piles up', () => {
    expect(kind(model({ texts: 4000, backlog_seconds: 40 }), [0, 500, 1000, 2000, 4000])).toBe('falling-behind');
  });

  it('is keeping up with a large job that shrinks, or stays as it is', () => {
    expect(kind(model({ texts: 4000, backlog_seconds: 40 }), [0, 0, 9000, 6000, 4000])).toBe('keeping-up');
    expect(kind(model({ texts: 4000, backlog_seconds: 40 }), [4000, 4000, 4000, 4000, 4000])).toBe('keeping-up');
  });

  it('is keeping up with growth of a few seconds, and where the past is not known', () => {
    expect(kind(model({ texts: 400, backlog_seconds: 4 }), [0, 0, 0, 0, 400])).toBe('keeping-up');
    expect(kind(model({ texts: 4000, backlog_seconds: 40 }), [null, null, null, null, 4000])).toBe('keeping-up');
  });

  it('is stalled when work waits and nothing is done', () => {
    const waits = { texts: 4000, backlog_seconds: null, oldest_age_seconds: 40 };
    expect(kind(model(waits, { texts_per_second: 0 }), [4000, 4000, 4000, 4000, 4000])).toBe('stalled');
    expect(kind(model(waits), [4000, 4000, 4000, 4000, 4000])).toBe('keeping-up');
  });

  it('says the longest backlog of both lanes, and when there is none to say', () => {
    expect(backlogWords(verdictOf(model({ texts: 4000, backlog_seconds: 42 }), undefined, []))).toBe('42 s of backlog');
    expect(backlogWords(verdictOf(model({ texts: 4000, backlog_seconds: null }), undefined, []))).toBe(
      'backlog not known',
    );
  });
});
