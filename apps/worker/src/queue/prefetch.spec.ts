import { Prefetch } from './prefetch.js';

/** A prefetch that has seen a second's work of an engine of this speed. */
function measured(textsPerSecond: number, textsPerTask = 64): Prefetch {
  const prefetch = new Prefetch('bulk');
  for (let n = 1; n <= 100; n++) {
    prefetch.taskEnded(textsPerTask, { texts: (n * textsPerSecond) / 100, busyMs: n * 10 });
  }
  return prefetch;
}

describe('the prefetch of bulk tasks', () => {
  it('begins with what any device has done soon', () => {
    expect(new Prefetch('bulk').tasks * 64).toBe(128);
  });

  it('grows with a fast device to a lookahead and a half, and no further', () => {
    expect(measured(1350).tasks * 64).toBeGreaterThan(1024);
    expect(measured(100_000).tasks * 64).toBe(1536);
  });

  it('holds no more than a second of work for a slow device or long texts, but enough to sort', () => {
    expect(measured(400).tasks * 64).toBe(448);
    expect(measured(15).tasks * 64).toBe(128);
  });

  it('takes more tasks when they are small, within reason', () => {
    expect(measured(100_000, 8).tasks).toBeGreaterThan(180);
    expect(measured(100_000, 1).tasks).toBe(256);
  });

  it('goes by the device time, so that an idle hour does not count', () => {
    const prefetch = measured(350);
    const busy = prefetch.tasks;
    for (let n = 1; n <= 100; n++) prefetch.taskEnded(64, { texts: 350 + 3.5 * n, busyMs: 1000 + 10 * n });
    expect(prefetch.tasks).toBe(busy);
  });

  it('keeps at least one task in reserve, however many texts a task has', () => {
    expect(measured(15, 5000).tasks).toBe(2);
  });
});

it('the prefetch of interactive tasks is ample, whatever the device', () => {
  expect(new Prefetch('interactive').tasks).toBe(64);
});
