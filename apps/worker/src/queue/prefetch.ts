import { type Lane, TASK_LIMITS } from '#contracts';
import { type EngineStats, LOOKAHEAD_TEXTS } from '#inference';

/**
 * Decides how many tasks of one lane a worker holds at once.
 *
 * Interactive: many, since fetching a task early saves a round trip while a client waits.
 *
 * Bulk: enough texts for the engine to sort by length, but at most about a second of work, however long the texts are
 * and however many a task has. Idle workers cannot take tasks that this worker holds, and if it dies, they are delayed.
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

  /**
   * Updates the running means.
   * @param texts of the task that ended
   * @param stats of the engine: its device time gives the speed even when it is mostly idle
   */
  taskEnded(texts: number, stats: Pick<EngineStats, 'texts' | 'busyMs'>): void {
    this.#textsPerTask += (texts - this.#textsPerTask) * TASK_WEIGHT;
    const busyMs = stats.busyMs - this.#measured.busyMs;
    if (busyMs < MEASURE_BUSY_MS) return;
    this.#textsPerSecond = (1000 * (stats.texts - this.#measured.texts)) / busyMs;
    this.#measured = { texts: stats.texts, busyMs: stats.busyMs };
  }
}

const INTERACTIVE_TASKS = 64;
/** One lookahead to sort by length, and half of one to fill the gaps as tasks end. */
const MOST_BULK_TEXTS = 1.5 * LOOKAHEAD_TEXTS;
const BULK_SECONDS = 1;
const LEAST_BULK_TEXTS = 128;
/** One under way and one to follow. */
const LEAST_BULK_TASKS = 2;
const MOST_BULK_TASKS = 256;
/** Device time between two measurements of the speed, ms. */
const MEASURE_BUSY_MS = 250;
/** Weight of the latest task in the running mean of texts per task. */
const TASK_WEIGHT = 0.1;
