import { loadOf, type LoadSample } from './load.js';
import { type ModelPresent, verdictOf } from './verdict.js';

const CAPACITY = 100;
const WINDOW_SECONDS = 330;

/** What a queue looked like, second by second, with workers that finish at most `CAPACITY` texts/s. */
class Recording {
  readonly #seconds: { unfinished: number; finished: number }[] = [];
  unfinished = 0;

  /** @param arriving texts in the given second of this stretch */
  run(seconds: number, arriving: (second: number) => number, capacity = CAPACITY): this {
    for (let second = 0; second < seconds; second++) {
      this.unfinished += arriving(second);
      const finished = Math.min(capacity, this.unfinished);
      this.unfinished -= finished;
      this.#seconds.push({ unfinished: this.unfinished, finished });
    }
    return this;
  }

  load() {
    return loadOf(this.#samples(WINDOW_SECONDS, 30), this.#samples(60, 2));
  }

  /** The last seconds in samples of equal length; what is from before the recording is not known. */
  #samples(lastSeconds: number, each: number): LoadSample[] {
    return Array.from({ length: lastSeconds / each }, (_, i) => {
      const from = this.#seconds.length - lastSeconds + i * each;
      const part = from < 0 ? [] : this.#seconds.slice(from, from + each);
      if (part.length === 0) return { seconds: each, unfinished: null, finished: null };
      const sum = (of: 'unfinished' | 'finished') => part.reduce((total, one) => total + one[of], 0);
      return { seconds: each, unfinished: sum('unfinished') / each, finished: sum('finished') };
    });
  }
}

const quiet = () => 0;
const batch = (texts: number) => (second: number) => (second === 0 ? texts : 0);

function verdict(recording: Recording, changes: Partial<ModelPresent> & { readonly paused?: boolean } = {}) {
  const texts = recording.unfinished;
  const { paused = false, ...present } = changes;
  return verdictOf(
    {
      readyWorkers: 1,
      lanes: {
        interactive: { texts: 0, paused: false, oldest_age_seconds: null },
        bulk: { texts, paused, oldest_age_seconds: texts > 0 ? 60 : null },
      },
      jobs: 3,
      jobTexts: texts,
      finishedPerSecond: texts > 0 ? CAPACITY : 0,
      reportedPerSecond: 0,
      ...present,
    },
    recording.load(),
  );
}

describe('the verdict on a model', () => {
  it('is working while one batch drains, from its first seconds to its last, with the time left', () => {
    const recording = new Recording().run(400, quiet).run(10, batch(30_000));
    expect(verdict(recording)).toMatchObject({
      state: 'working',
      message: 'Working through 29,000 texts, about 5 min left',
      unfinished_texts: 29_000,
      backlog_seconds: 290,
      seconds_left: 290,
      arrival_texts_per_second: 0,
      service_texts_per_second: 100,
    });
    const states = new Set<string>();
    for (let second = 0; second < 280; second += 5) states.add(verdict(recording.run(5, quiet)).state);
    expect([...states]).toEqual(['working']);
    expect(verdict(recording.run(6, quiet)).state).toBe('keeping-up');
    expect(verdict(recording.run(60, quiet))).toMatchObject({ state: 'idle', seconds_left: 0, backlog_seconds: 0 });
  });

  it('is working while one job is uploaded for minutes', () => {
    const recording = new Recording().run(400, quiet).run(240, () => 500);
    const upload = verdict(recording, { jobs: 1 });
    expect(upload).toMatchObject({ state: 'working', message: 'Working through 96,000 texts', seconds_left: null });
    expect(verdict(recording, { jobs: 2 }).state).toBe('falling-behind');
  });

  it('is falling behind when more keeps arriving than is finished', () => {
    const recording = new Recording().run(400, () => 50).run(240, () => 140);
    expect(verdict(recording)).toMatchObject({
      state: 'falling-behind',
      message: 'Falling behind',
      reason: '9,600 texts unfinished. Workers finish 100 texts/s; 140 texts/s keep arriving.',
      backlog_seconds: 96,
      seconds_left: null,
    });
    // As jobs that each are too much for their half minute.
    const jobs = new Recording().run(600, (second) => (second % 45 === 0 ? 6300 : 0));
    expect(verdict(jobs).state).toBe('falling-behind');
  });

  it('is falling behind when waiting requests pile up beside one job', () => {
    const recording = new Recording().run(600, () => 140);
    expect(verdict(recording, { jobs: 1, jobTexts: 100 }).state).toBe('falling-behind');
  });

  it('is keeping up when as much arrives as is finished, with or without a backlog', () => {
    const swift = verdict(
      new Recording().run(600, () => 90),
      {
        lanes: {
          interactive: { texts: 30, paused: false, oldest_age_seconds: 1 },
          bulk: { texts: 0, paused: false, oldest_age_seconds: null },
        },
        reportedPerSecond: 90,
      },
    );
    expect(swift).toMatchObject({ state: 'keeping-up', arrival_texts_per_second: 90, message: 'Keeping up' });
    const behindForLong = verdict(new Recording().run(60, batch(10_000)).run(600, () => CAPACITY));
    expect(behindForLong).toMatchObject({ state: 'keeping-up', backlog_seconds: 40, seconds_left: null });
  });

  it('counts what keeps arriving in the time that is left', () => {
    const recording = new Recording().run(400, () => 50).run(10, (second) => batch(20_000)(second) + 50);
    expect(verdict(recording)).toMatchObject({
      state: 'working',
      message: 'Working through 19,500 texts, about 7 min left',
      arrival_texts_per_second: 50,
      seconds_left: 390,
    });
  });

  it('is no workers, with and without work that waits', () => {
    const idle = verdict(new Recording().run(600, quiet), { readyWorkers: 0 });
    expect(idle).toMatchObject({ state: 'no-workers', message: 'No workers', unfinished_texts: 0 });
    expect(idle.reason).toMatch(/^Nothing waits, and no worker is ready/);
    const waiting = verdict(new Recording().run(600, batch(640), 0), { readyWorkers: 0, paused: true });
    expect(waiting).toMatchObject({ state: 'no-workers', backlog_seconds: null, seconds_left: null });
    expect(waiting.reason).toMatch(/^640 texts wait, and no worker is ready/);
    // A rate of before is no promise.
    const killed = verdict(new Recording().run(60, batch(10_000)), { readyWorkers: 0 });
    expect(killed).toMatchObject({ state: 'no-workers', backlog_seconds: null, seconds_left: null });
  });

  it('does not take the time before a worker started for slowness', () => {
    const recording = new Recording().run(400, batch(10_000), 0).run(10, quiet);
    expect(verdict(recording)).toMatchObject({ service_texts_per_second: 100, seconds_left: 90 });
  });

  it('is paused while a lane is', () => {
    const paused = verdict(new Recording().run(600, batch(640), 0), { paused: true, finishedPerSecond: 0 });
    expect(paused).toMatchObject({ state: 'paused', message: 'Paused' });
    expect(paused.reason).toMatch(/from the bulk queue until it is resumed; 640 texts wait\.$/);
  });

  it('is stalled when work waits and nothing is finished', () => {
    const stopped = new Recording().run(400, () => 50).run(120, () => 50, 0);
    expect(verdict(stopped, { finishedPerSecond: 0 })).toMatchObject({
      state: 'stalled',
      reason: '6,000 texts unfinished, the oldest for 60 s, and none was finished lately: see the workers.',
      backlog_seconds: null,
    });
  });

  it('promises nothing while nothing is known', () => {
    const recording = new Recording().run(1, batch(300), 0);
    expect(verdict(recording)).toMatchObject({
      state: 'working',
      message: 'Working through 300 texts',
      reason: 'The rate of the workers is not known yet.',
      backlog_seconds: null,
      seconds_left: null,
      arrival_texts_per_second: null,
      service_texts_per_second: null,
    });
    // What the workers report stands in for a rate that is not recorded yet.
    expect(verdict(recording, { reportedPerSecond: 10 })).toMatchObject({ backlog_seconds: 30, seconds_left: 30 });
  });
});
