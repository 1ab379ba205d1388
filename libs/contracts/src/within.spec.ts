import { DeadlineError, within } from './within.js';

/** Timers that keep the process alive. */
const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

it('settles as the work does, and leaves no timer behind', async () => {
  const before = timers();
  await expect(within(60_000, Promise.resolve(7))).resolves.toBe(7);
  const no = new Error('no');
  await expect(within(60_000, Promise.reject(no))).rejects.toBe(no);
  expect(timers()).toBe(before);
});

it('rejects when the work takes too long, and hears nothing of how that ends', async () => {
  let fail!: (reason: Error) => void;
  const work = new Promise<never>((_, reject) => (fail = reject));
  const late = await within(5, work).catch((error: unknown) => error);
  expect(late).toBeInstanceOf(DeadlineError);
  expect((late as DeadlineError).message).toBe('no answer within 5 ms');
  // An unhandled rejection would end the test process.
  fail(new Error('too late'));
  await new Promise(setImmediate);
});
