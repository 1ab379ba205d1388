import { type Lane, TASK_LIMITS } from '#contracts';
import { type EngineStats, LOOKAHEAD_TEXTS } from '#inference';

/**
 * Prefetch says how many tasks of one lane a worker holds at once.
 *
 * Interactive: ample, since each one fetched early saves a round trip of somebody's wait.
 *
 * Bulk: enough texts for the engine to sort by length, but no more than a second's work, however long the texts
 * are and however many a task has. What a worker holds nobody else can help with while that one is idle, and it is
 * late when the worker dies.
 */
export class Prefetch {
  readonly #lane: Lane;
  #textsPerTask: number = TASK_LIMITS.maxInputs;
  #textsPerSecond: number | null = null;
  #measured = { texts: 0, busyMs: 0 };

  constructor(lane: Lane) {
    this.#lane = lane;
  }

  /** Tasks to hold at once. */
  get tasks(): number {
    if (this.#lane === 'interactive') return INTERACTIVE_TASKS;
    const texts = Math.min((this.#textsPerSecond ?? 0) * BULK_SECONDS, MOST_BULK_TEXTS);
    const tasks = Math.ceil(Math.max(texts, LEAST_BULK_TEXTS) / this.#textsPerTask);
    return Math.min(Math.max(tasks, LEAST_BULK_TASKS), MOST_BULK_TASKS);
  }

  /** @param stats the engine's, whose device time tells its speed even when it is mostly idle */
  taskEnded(texts: number, stats: Pick<EngineStats, 'texts' | 'busyMs'>): void {
    this.#textsPerTask += (texts - this.#textsPerTask) * TASK_WEIGHT;
    const busyMs = stats.busyMs - this.#measured.busyMs;
    if (busyMs < MEASURE_BUSY_MS) return;
    this.#textsPerSecond = (1000 * (stats.texts - this.#measured.texts)) / busyMs;
    this.#measured = { texts: stats.texts, busyMs: stats.busyMs };
  }
}

const INTERACTIVE_TASKS = 64;
/** One lookahead to sort by length, half of one to fill the gaps as tasks end. */
const MOST_BULK_TEXTS = 1.5 * LOOKAHEAD_TEXTS;
const BULK_SECONDS = 1;
const LEAST_BULK_TEXTS = 128;
/** One under way, one to follow it. */
const LEAST_BULK_TASKS = 2;
const MOST_BULK_TASKS = 256;
/** Device time after which its speed is taken anew. */
const MEASURE_BUSY_MS = 250;
/** Weight of the latest task in the running mean of a task's texts. */
const TASK_WEIGHT = 0.1;
