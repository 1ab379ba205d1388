import type { Outcome } from '#contracts';
import type { InputSignal } from '#inference';
import { CANCELLED, SingleFlight } from './single-flight.js';
import type { Compute, Computed } from './single-flight.js';

describe('inputs in flight', () => {
  it('are computed once for all tasks that hold them', async () => {
    const flight = new SingleFlight();
    const first = new Computation();
    const second = new Computation();
    const one = flight.join('bulk', ['a', 'b'], still(2), first.compute);
    const two = flight.join('bulk', ['b', 'c'], still(2), second.compute);

    expect(first.asked).toEqual([0, 1]);
    expect(second.asked).toEqual([1]);
    first.finish([row('A'), row('B')]);
    second.finish([row('C')]);
    expect(await one).toEqual([row('A'), row('B')]);
    expect(await two).toEqual([row('B'), row('C')]);
  });

  it('are shared until the cache has them, and computed anew from then on', async () => {
    const flight = new SingleFlight();
    const first = new Computation();
    const one = flight.join('bulk', ['a'], still(1), first.compute);
    let keep!: () => void;
    first.finish([row('A')], new Promise((resolve) => (keep = resolve)));
    expect(await one).toEqual([row('A')]);
    expect(await flight.join('bulk', ['a'], still(1), refuse)).toEqual([row('A')]);
    keep();
    await turn();

    const second = new Computation();
    const two = flight.join('bulk', ['a'], still(1), second.compute);
    expect(second.asked).toEqual([0]);
    second.finish([row('A')]);
    await two;
  });

  it('go on for the others when the task that started them is aborted', async () => {
    const flight = new SingleFlight();
    const owner = new AbortController();
    const computation = new Computation();
    const mine = flight.join('bulk', ['a', 'b'], [owner.signal, owner.signal], computation.compute);
    const theirs = flight.join('bulk', ['b'], still(1), refuse);

    owner.abort();
    expect(await mine).toEqual([CANCELLED, CANCELLED]);
    expect(computation.signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    computation.finish([CANCELLED, row('B')]);
    expect(await theirs).toEqual([row('B')]);
  });

  it('are called off when the last task loses interest, and start afresh for the next', async () => {
    const flight = new SingleFlight();
    const one = new AbortController();
    const two = new AbortController();
    const computation = new Computation();
    const first = flight.join('bulk', ['a'], [one.signal], computation.compute);
    const second = flight.join('bulk', ['a'], [two.signal], refuse);

    two.abort();
    expect(await second).toEqual([CANCELLED]);
    expect(computation.signals[0]?.aborted).toBe(false);
    one.abort();
    expect(await first).toEqual([CANCELLED]);
    expect(computation.signals[0]?.aborted).toBe(true);

    const again = new Computation();
    const third = flight.join('bulk', ['a'], still(1), again.compute);
    computation.finish([CANCELLED]);
    again.finish([row('A')]);
    expect(await third).toEqual([row('A')]);
  });

  it('of the bulk lane keep no interactive input waiting, but the other way round they are shared', async () => {
    const flight = new SingleFlight();
    const bulk = new Computation();
    const slow = flight.join('bulk', ['a'], still(1), bulk.compute);
    const interactive = new Computation();
    const quick = flight.join('interactive', ['a', 'b'], still(2), interactive.compute);
    const joined = flight.join('bulk', ['b'], still(1), refuse);

    expect(interactive.asked).toEqual([0, 1]);
    interactive.finish([row('A'), row('B')]);
    expect(await quick).toEqual([row('A'), row('B')]);
    expect(await joined).toEqual([row('B')]);
    bulk.finish([row('A')]);
    expect(await slow).toEqual([row('A')]);
  });

  it('fail for everyone who waits when the computation breaks down, and are forgotten', async () => {
    const flight = new SingleFlight();
    const computation = new Computation();
    const one = flight.join('bulk', ['a'], still(1), computation.compute);
    const two = flight.join('bulk', ['a'], still(1), refuse);
    computation.break(new Error('no device'));
    await expect(one).rejects.toThrow('no device');
    await expect(two).rejects.toThrow('no device');

    const again = new Computation();
    const three = flight.join('bulk', ['a'], still(1), again.compute);
    again.finish([row('A')]);
    expect(await three).toEqual([row('A')]);
  });
});

/** A computation that ends when the test says so. */
class Computation {
  asked: readonly number[] = [];
  signals: readonly InputSignal[] = [];
  finish!: (outcomes: Outcome[], kept?: Promise<void>) => void;
  break!: (error: Error) => void;
  readonly #computed = new Promise<Computed>((resolve, reject) => {
    this.finish = (outcomes, kept = Promise.resolve()) => resolve({ outcomes, kept });
    this.break = reject;
  });

  readonly compute: Compute = (indexes, signals) => {
    this.asked = indexes;
    this.signals = signals;
    return this.#computed;
  };
}

const refuse: Compute = () => Promise.reject(new Error('asked to compute what is in flight already'));

/** Lets every promise that is due settle. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function still(count: number): AbortSignal[] {
  return Array.from({ length: count }, () => new AbortController().signal);
}

function row(text: string): Buffer {
  return Buffer.from(text);
}
