import { Intake } from './prefetch.js';

const environment = { EMBED_LOOKAHEAD_TEXTS: 1024, EMBED_TASK_TEXTS: 64 };

/** An intake that has seen a second's work of an engine of this speed. */
function measured(textsPerSecond: number, textsPerTask = 64): Intake {
  const intake = new Intake('bulk', environment);
  for (let n = 1; n <= 100; n++) {
    intake.taskEnded(textsPerTask, { texts: (n * textsPerSecond) / 100, busyMs: n * 10 });
  }
  return intake;
}

describe('an intake of bulk tasks', () => {
  it('begins with what any device has done soon', () => {
    expect(new Intake('bulk', environment).tasks * 64).toBe(128);
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
    const intake = measured(350);
    const busy = intake.tasks;
    for (let n = 1; n <= 100; n++) intake.taskEnded(64, { texts: 350 + 3.5 * n, busyMs: 1000 + 10 * n });
    expect(intake.tasks).toBe(busy);
  });

  it('keeps at least one task in reserve, also with a tiny lookahead', () => {
    expect(new Intake('bulk', { EMBED_LOOKAHEAD_TEXTS: 1, EMBED_TASK_TEXTS: 64 }).tasks).toBe(2);
  });
});

it('an intake of interactive tasks is ample, whatever the device', () => {
  expect(new Intake('interactive', environment).tasks).toBe(64);
});
