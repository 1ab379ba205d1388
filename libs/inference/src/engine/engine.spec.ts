import fc from 'fast-check';
import { BootError, encodeRow, isRow, type Lane, type ModelTexts, type Outcome, rowFloats } from '#contracts';
import { DeviceLostError, DeviceUnavailableError, type PackedBatch } from '../device/device.js';
import { Engine, EngineClosedError, type EngineOptions } from './engine.js';
import type { BatchReport } from './engine-stats.js';
import { type Encoded, PromptTooLongError, TextTooComplexError, type Tokenizer } from '#model';
import { SimulatedDevice, simulatedValues, type SimulatedDeviceOptions } from '../testing.js';

const WIDTH = 4;
const MAX_TOKENS = 32;
/** The device cannot compute a row with this id. */
const POISON = 666_666;
/** The device dies of a row with this id. */
const DEADLY = 777_777;

/** The numbers of a text are its ids, those of a second text are of segment 1; no number is what this tokenizer cannot take. */
function encode([text, pair]: ModelTexts): Encoded {
  if (!/^[\d ]*$/.test(text)) throw new Error('no numbers');
  if (text === '') return { ids: new Int32Array(), types: null, length: 0, truncated: false };
  const [first, second] = [text, pair].map((one) => (one === undefined ? [] : one.split(' ').map(Number)));
  const all = [...first!, ...second!];
  const ids = Int32Array.from(all).slice(0, MAX_TOKENS);
  const types = pair === undefined ? null : ids.map((_, n) => Number(n >= first!.length));
  return { ids, types, length: all.length, truncated: all.length > MAX_TOKENS };
}

class NumberTokenizer implements Tokenizer {
  closed = false;
  async encode(inputs: readonly ModelTexts[]): Promise<(Encoded | Error)[]> {
    await turn();
    return inputs.map((texts) => {
      try {
        return encode(texts);
      } catch (error) {
        return error as Error;
      }
    });
  }
  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }
}

/** The next turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A device that works a few turns on a batch, so that texts come and go meanwhile. */
const device = (options: Partial<SimulatedDeviceOptions> = {}): SimulatedDevice =>
  new SimulatedDevice({
    width: WIDTH,
    batchMs: 1,
    tokenMs: 0.01,
    sleep: async () => {
      for (let turns = 0; turns < 3; turns++) await turn();
    },
    fault: poisonous,
    ...options,
  });

function poisonous(batch: PackedBatch): Error | undefined {
  if (batch.ids.includes(DEADLY)) return new DeviceLostError('died', { started: true });
  return batch.ids.includes(POISON) ? new Error('bad id') : undefined;
}

const engine = (options: Partial<EngineOptions> = {}): Engine =>
  new Engine({
    tokenizer: new NumberTokenizer(),
    device: device(),
    maxTokens: MAX_TOKENS,
    tokenBudget: 128,
    maxRows: 8,
    lookaheadTexts: 64,
    bulkShare: 0.2,
    ...options,
  });

const run = (of: Engine, inputs: readonly ModelTexts[], lane: Lane = 'bulk', signals?: AbortSignal) =>
  of.run(inputs, { prompt: '', truncate: 'end', lane, ...(signals === undefined ? {} : { signals }) });

/** Inputs of one text each. */
const compute = (of: Engine, texts: readonly string[], lane: Lane = 'bulk') =>
  run(
    of,
    texts.map((text) => [text]),
    lane,
  );

/** Lets batch after batch of a held device finish until the work is done. */
async function finishing(work: Promise<unknown>, finish: () => void): Promise<void> {
  const progress = { done: false };
  void work.then(() => (progress.done = true));
  while (!progress.done) {
    finish();
    await turn();
  }
}

const code = (outcome: Outcome | undefined) => (outcome === undefined || isRow(outcome) ? 'ok' : outcome.code);

function expectRow(outcome: Outcome | undefined, input: ModelTexts): void {
  const { ids, truncated, types } = encode(input);
  expect(outcome).toEqual(encodeRow(simulatedValues(ids, WIDTH, types ?? undefined), ids.length, truncated));
}

const kinds = fc.oneof(
  { weight: 12, arbitrary: fc.constant('good' as const) },
  { weight: 1, arbitrary: fc.constantFrom('poison', 'deadly', 'no numbers', 'empty', 'too long') },
  { weight: 3, arbitrary: fc.constantFrom('pair' as const, 'long pair' as const) },
);
const inputs = fc.record({ kind: kinds, tokens: fc.integer({ min: 1, max: MAX_TOKENS }), salt: fc.nat(9999) });
type InputCase = typeof inputs extends fc.Arbitrary<infer T> ? T : never;

function write({ kind, tokens, salt }: InputCase): string {
  const numbers = Array.from({ length: kind === 'too long' ? 2 * MAX_TOKENS : tokens }, (_, place) => salt + place);
  if (kind === 'empty') return '';
  if (kind === 'no numbers') return 'no numbers';
  if (kind === 'poison') return [POISON, ...numbers].slice(0, MAX_TOKENS).join(' ');
  if (kind === 'deadly') return [DEADLY, ...numbers].slice(0, MAX_TOKENS).join(' ');
  return numbers.join(' ');
}

function inputOf(one: InputCase): ModelTexts {
  const text = write(one);
  if (one.kind === 'pair') return [text.split(' ').slice(0, 4).join(' '), `${one.salt} 1 2 3`];
  if (one.kind === 'long pair')
    return [text.split(' ').slice(0, 4).join(' '), `${text}${` ${one.salt}`.repeat(MAX_TOKENS)}`];
  return [text];
}

const FAILING = new Set<InputCase['kind']>(['poison', 'deadly', 'no numbers', 'empty']);

describe('the engine', () => {
  it('gives every input its own row or error in its place, whatever the mix of pairs, lanes, faults, deaths and aborts', async () => {
    const calls = fc.array(
      fc.record({
        lane: fc.constantFrom<Lane>('interactive', 'bulk'),
        inputs: fc.array(inputs, { maxLength: 30 }),
        startAfterTurns: fc.nat(12),
        abortAfterTurns: fc.option(fc.nat(12)),
      }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(calls, fc.boolean(), async (script, shared) => {
        const engineUnderTest = engine();
        // All calls of an aborted client share one signal, or each has its own.
        const oneForAll = new AbortController();
        await Promise.all(
          script.map(async (call) => {
            for (let turns = 0; turns < call.startAfterTurns; turns++) await turn();
            const controller = shared ? oneForAll : new AbortController();
            const aborting = call.abortAfterTurns !== null;
            const written = call.inputs.map(inputOf);
            const outcomes = run(engineUnderTest, written, call.lane, aborting ? controller.signal : undefined);
            if (call.abortAfterTurns !== null) {
              for (let turns = 0; turns < call.abortAfterTurns; turns++) await turn();
              controller.abort();
            }
            const given = await outcomes;
            expect(given).toHaveLength(written.length);
            for (const [index, outcome] of given.entries()) {
              if (aborting && code(outcome) === 'cancelled') continue;
              const { kind } = call.inputs[index]!;
              if (FAILING.has(kind)) expect(code(outcome)).toBe('inference_failed');
              else expectRow(outcome, written[index]!);
            }
          }),
        );
        // An aborted text may still be with the tokenizer.
        for (let turns = 0; turns < 20; turns++) await turn();
        expect(engineUnderTest.stats().queued).toEqual({ interactive: 0, bulk: 0 });
        await engineUnderTest.close();
      }),
      { numRuns: 150 },
    );
  });

  it('a tokenizer that is lost at every input fails the call, at one input only this input', async () => {
    const lostAt = (deadly: (text: string) => boolean): Tokenizer => ({
      encode: async (inputs) => {
        await turn();
        if (inputs.some(([text]) => deadly(text))) throw new Error('lost');
        return inputs.map(encode);
      },
      close: () => Promise.resolve(),
    });
    const texts: ModelTexts[] = [['1 2'], ['3 4'], ['5 6']];
    const broken = engine({ tokenizer: lostAt(() => true) });
    await expect(run(broken, texts, 'bulk')).rejects.toThrow('lost');
    await broken.close();
    const once = engine({ tokenizer: lostAt((text) => text === '3 4') });
    expect((await run(once, texts, 'bulk')).map(code)).toEqual(['ok', 'inference_failed', 'ok']);
    await once.close();
  });

  it.each([new TextTooComplexError('too long'), new PromptTooLongError('no room')])(
    'a text refused by the tokenizer fails alone, under its own code: $code',
    async (refusal) => {
      const tokenizer: Tokenizer = {
        encode: (inputs) => Promise.resolve(inputs.map((texts) => (texts[0] === '3' ? refusal : encode(texts)))),
        close: () => Promise.resolve(),
      };
      const engineUnderTest = engine({ tokenizer });
      expect((await run(engineUnderTest, [['1'], ['3']], 'bulk')).map(code)).toEqual(['ok', refusal.code]);
      await engineUnderTest.close();
    },
  );

  it('keeps batches within the token budget and the row limit, and reports them', async () => {
    const engineUnderTest = engine({ tokenBudget: 100, maxRows: 5 });
    const reports: BatchReport[] = [];
    engineUnderTest.onBatch((report) => reports.push(report));
    const all = Array.from({ length: 200 }, (_, index) =>
      write({ kind: 'good', tokens: 1 + (index % 32), salt: index }),
    );
    await compute(engineUnderTest, all);
    for (const { rows, paddedTokens, tokens, laneRows } of reports) {
      expect(rows).toBeLessThanOrEqual(5);
      expect(paddedTokens).toBeLessThanOrEqual(100);
      expect(tokens).toBeLessThanOrEqual(paddedTokens);
      expect(laneRows).toEqual({ interactive: 0, bulk: rows });
    }
    const sum = (of: (report: BatchReport) => number) => reports.reduce((total, report) => total + of(report), 0);
    expect(engineUnderTest.stats()).toMatchObject({
      texts: 200,
      batches: reports.length,
      tokens: sum((report) => report.tokens),
      paddedTokens: sum((report) => report.paddedTokens),
      failedTexts: 0,
      cancelledTexts: 0,
    });
    expect(sum((report) => report.tokens)).toBe(all.reduce((total, one) => total + encode([one]).ids.length, 0));
    await engineUnderTest.close();
  });

  it('hands the segments of pairs to the device, also beside single texts', async () => {
    const batches: PackedBatch[] = [];
    const engineUnderTest = engine({ device: device({ fault: (batch) => void batches.push(batch) }) });
    const given: ModelTexts[] = [['1 2', '3 4 5'], ['61 7 8'], ['91', '8 7 6 5']];
    const outcomes = await run(engineUnderTest, given);
    for (const [index, outcome] of outcomes.entries()) expectRow(outcome, given[index]!);
    expect(batches).toHaveLength(1);
    const { ids, tokens, types } = batches[0]!;
    const rowOf = (first: number) => [...types!.subarray(ids.indexOf(first), ids.indexOf(first) + tokens)];
    expect([rowOf(1), rowOf(61), rowOf(91)]).toEqual([
      [0, 0, 1, 1, 1],
      [0, 0, 0, 0, 0],
      [0, 1, 1, 1, 1],
    ]);
    await compute(engineUnderTest, ['1 2']);
    expect(batches[1]!.types).toBeNull();
    await engineUnderTest.close();
  });

  it('writes the rows of a batch so that their floats are read without a copy', async () => {
    const engineUnderTest = engine();
    const outcomes = await compute(engineUnderTest, ['1', '2 3', '4']);
    for (const outcome of outcomes) {
      if (!isRow(outcome)) throw new Error(outcome.message);
      expect(rowFloats(outcome).buffer).toBe(outcome.buffer);
    }
    await engineUnderTest.close();
  });

  it('does not wait for further texts when the device is idle', async () => {
    const begun: number[] = [];
    const engineUnderTest = engine({
      device: device({
        fault: ({ rows }) => {
          begun.push(rows);
          return undefined;
        },
      }),
    });
    await compute(engineUnderTest, ['1 2 3']);
    expect(begun).toEqual([1]);
    await engineUnderTest.close();
  });

  it('has exactly one batch ready behind the one that runs', async () => {
    let handedIn = 0;
    class Counting extends SimulatedDevice {
      override run(batch: PackedBatch) {
        handedIn++;
        return super.run(batch);
      }
    }
    let finish = (): void => undefined;
    const sleep = () => new Promise<void>((resolve) => (finish = resolve));
    const counting = new Counting({ width: WIDTH, batchMs: 0, tokenMs: 0, sleep });
    const engineUnderTest = engine({ device: counting, maxRows: 1 });
    const results = compute(engineUnderTest, ['1', '2', '3', '4']);
    for (let expected = 2; expected <= 4; expected++) {
      for (let turns = 0; turns < 5; turns++) await turn();
      expect(handedIn).toBe(expected);
      finish();
    }
    await finishing(results, () => finish());
    await engineUnderTest.close();
  });

  it('gives bulk its share of batches though a query arrives during every one', async () => {
    const order: string[] = [];
    let finish = (): void => undefined;
    const slow = device({
      sleep: () => new Promise((resolve) => (finish = resolve)),
      fault: ({ ids: [first] }) => void order.push(first === 1 ? 'bulk' : 'interactive'),
    });
    const engineUnderTest = engine({ device: slow, maxRows: 1, bulkShare: 0.25 });
    const work = [
      compute(
        engineUnderTest,
        Array.from({ length: 20 }, () => '1'),
      ),
    ];
    for (let batches = 0; batches < 40; batches++) {
      work.push(compute(engineUnderTest, ['9'], 'interactive'));
      for (let turns = 0; turns < 5; turns++) await turn();
      finish();
    }
    const served = order.slice(1, 40).filter((lane) => lane === 'bulk').length;
    expect(served).toBeGreaterThanOrEqual(9);
    expect(served).toBeLessThanOrEqual(10);
    await finishing(Promise.all(work), () => finish());
    await engineUnderTest.close();
  });

  it('lets a query pass the bulk batch that is ready, but not the one that runs', async () => {
    const order: string[] = [];
    let finish = (): void => undefined;
    const slow = device({
      sleep: () => new Promise((resolve) => (finish = resolve)),
      fault: ({ ids: [first] }) => void order.push(String(first)),
    });
    const engineUnderTest = engine({ device: slow, maxRows: 1 });
    const bulk = compute(engineUnderTest, ['1', '2', '3']);
    for (let turns = 0; turns < 5; turns++) await turn();
    const query = compute(engineUnderTest, ['9'], 'interactive');
    for (let turns = 0; turns < 5; turns++) await turn();
    await finishing(Promise.all([bulk, query]), () => finish());
    expect(order).toEqual(['1', '9', '2', '3']);
    await engineUnderTest.close();
  });

  it('never computes a text that was aborted before its batch began', async () => {
    const computed = new Set<number>();
    let finish = (): void => undefined;
    const slow = device({
      sleep: () => new Promise((resolve) => (finish = resolve)),
      fault: (batch) => {
        for (const id of batch.ids) computed.add(id);
        return undefined;
      },
    });
    const engineUnderTest = engine({ device: slow, maxRows: 2 });
    const controllers = Array.from({ length: 12 }, () => new AbortController());
    const results = engineUnderTest.run(
      controllers.map((_, index): ModelTexts => [`${index + 1} ${index + 1}`]),
      { prompt: '', truncate: 'end', lane: 'bulk', signals: controllers.map(({ signal }) => signal) },
    );
    for (let turns = 0; turns < 5; turns++) await turn();
    // Texts 1 and 2 run, 3 and 4 are ready.
    for (const index of [0, 2, 3, 7]) controllers[index]!.abort();
    await finishing(results, () => finish());
    expect((await results).map(code)).toEqual(
      Array.from({ length: 12 }, (_, index) => ([2, 3, 7].includes(index) ? 'cancelled' : 'ok')),
    );
    for (const id of [3, 4, 8]) expect(computed).not.toContain(id);
    expect(engineUnderTest.stats()).toMatchObject({ texts: 9, cancelledTexts: 3 });
    await engineUnderTest.close();
  });

  it('fails an input alone when the device gives numbers that are not finite', async () => {
    class Overflowing extends SimulatedDevice {
      override async run(batch: PackedBatch) {
        const result = await super.run(batch);
        if (batch.rows > 1) result.values[WIDTH + 1] = Number.NaN;
        return result;
      }
    }
    const overflowing = new Overflowing({ width: WIDTH, batchMs: 0, tokenMs: 0 });
    const engineUnderTest = engine({ device: overflowing });
    const results = await compute(engineUnderTest, ['1', '2', '3']);
    expect(results.map(code)).toEqual(['ok', 'inference_failed', 'ok']);
    await engineUnderTest.close();
  });

  it('rejects, so that texts may be tried again, when the device cannot be had', async () => {
    const gone = device({ fault: () => new DeviceUnavailableError('gone') });
    const engineUnderTest = engine({ device: gone });
    const calls = [compute(engineUnderTest, ['1', '2', '3']), compute(engineUnderTest, ['4'], 'interactive')];
    for (const call of calls) await expect(call).rejects.toThrow(DeviceUnavailableError);
    expect(engineUnderTest.stats()).toMatchObject({ failedTexts: 0, queued: { interactive: 0, bulk: 0 } });
    await engineUnderTest.close();
  });

  it('finishes what it has when it is closed, and takes nothing more', async () => {
    const tokenizer = new NumberTokenizer();
    const engineUnderTest = engine({ tokenizer });
    const all = Array.from({ length: 40 }, (_, index) => String(index));
    const results = compute(engineUnderTest, all);
    const closed = engineUnderTest.close();
    await expect(compute(engineUnderTest, ['1'])).rejects.toThrow(EngineClosedError);
    for (const [index, outcome] of (await results).entries()) expectRow(outcome, [all[index]!]);
    await closed;
    expect(tokenizer.closed).toBe(true);
  });

  it('rejects what it cannot finish before the deadline', async () => {
    const hanging = device({ sleep: () => new Promise(() => undefined) });
    const engineUnderTest = engine({ device: hanging });
    const results = compute(engineUnderTest, ['1', '2']);
    const closed = engineUnderTest.close({ deadlineMs: 20 });
    await expect(results).rejects.toThrow(EngineClosedError);
    await closed;
  });

  it('refuses to start for a model whose longest text fits no batch', () => {
    expect(() => engine({ maxTokens: 512, tokenBudget: 256 })).toThrow(BootError);
    expect(() => engine({ maxTokens: 512, tokenBudget: 256 })).toThrow(/512 tokens.*EMBED_TOKEN_BUDGET=256/);
  });
});
