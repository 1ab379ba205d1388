import { type History, HISTORY_RANGES, type HistoryRange } from '#contracts';
import { HISTORY_TICK_MS, type HistoryReader, type HistoryStep } from '#store';
import { type Load, loadOf } from '../operation/load.js';
import { addUp, loadSample, measure, type Measures, seriesOf } from './measure.js';

/** Time after the end of a tick within which every process has written its counts, ms. */
const SETTLED_MS = 500;
/** A model's current rates are measured over the last 10 s, rarer events over the last minute. */
const RATE_TICKS = 5;
const MINUTE_TICKS = 30;
/** The verdict on a model covers the last five minutes in steps of 30 s, whatever range is displayed. */
const LOAD_RANGE = '1h';
const LOAD_STEPS = 11;

/** Recent measurements of a model. */
export interface Lately {
  /** Over 10 s. */
  readonly rates: Measures;
  /** Over a minute. */
  readonly minute: Measures;
  /** Texts of waiting requests of all processes, as of the last tick. */
  readonly waitingTexts: number;
  readonly load: Load;
}

/** Converts recorded counts into the series that the dashboard draws. */
export class HistoryView {
  readonly #reader: HistoryReader;
  readonly #models: readonly string[];

  constructor(reader: HistoryReader, models: readonly string[]) {
    this.#reader = reader;
    this.#models = models;
  }

  /** Ends at the last tick that all processes have written, so the last step may be incomplete. */
  async of(range: HistoryRange): Promise<History> {
    const { stepSeconds, steps: count } = HISTORY_RANGES[range];
    const known = lastTickEnd();
    const from = Math.ceil(known / (stepSeconds * 1000)) - count;
    const steps = await this.#reader.steps(range, from, count);
    const times = steps.map((_, n) => Math.min((from + n + 1) * stepSeconds, known / 1000));
    const rows = (model: string) =>
      steps.map((step, n) => {
        const seconds = times[n]! - (from + n) * stepSeconds;
        return measure({ seconds, ...countsOf(step, model) });
      });
    const models = Object.fromEntries(this.#models.map((model) => [model, seriesOf(rows(model))]));
    return { range, step_seconds: stepSeconds, times, models };
  }

  async lately(): Promise<(model: string) => Lately> {
    const known = lastTickEnd();
    const { stepSeconds: loadSeconds } = HISTORY_RANGES[LOAD_RANGE];
    const loadFrom = Math.floor(known / (loadSeconds * 1000)) - LOAD_STEPS;
    const [steps, loadSteps] = await Promise.all([
      this.#reader.steps('5m', Math.floor(known / HISTORY_TICK_MS) - MINUTE_TICKS, MINUTE_TICKS),
      this.#reader.steps(LOAD_RANGE, loadFrom, LOAD_STEPS),
    ]);
    const over = (last: readonly (HistoryStep | null)[], model: string): Measures => {
      const all = last.map((step) => countsOf(step, model));
      return measure({
        seconds: (last.length * HISTORY_TICK_MS) / 1000,
        counts: addUp(all.map(({ counts }) => counts)),
        nameless: addUp(all.map(({ nameless }) => nameless)) ?? new Map(),
      });
    };
    const samples = (all: readonly (HistoryStep | null)[], seconds: number, model: string) =>
      all.map((step) => loadSample({ seconds, counts: countsOf(step, model).counts }));
    return (model) => ({
      rates: over(steps.slice(-RATE_TICKS), model),
      minute: over(steps, model),
      waitingTexts: (steps.at(-1)?.get(model)?.get('waiting') ?? 0) / HISTORY_TICK_MS,
      load: loadOf(samples(loadSteps, loadSeconds, model), samples(steps, HISTORY_TICK_MS / 1000, model)),
    });
  }
}

/** Epoch ms. */
function lastTickEnd(): number {
  return Math.floor((Date.now() - SETTLED_MS) / HISTORY_TICK_MS) * HISTORY_TICK_MS;
}

function countsOf(step: HistoryStep | null, model: string): Pick<Parameters<typeof measure>[0], 'counts' | 'nameless'> {
  // The step was recorded, so a model without counts in it did nothing.
  return { counts: step === null ? null : (step.get(model) ?? new Map()), nameless: step?.get('') ?? new Map() };
}
