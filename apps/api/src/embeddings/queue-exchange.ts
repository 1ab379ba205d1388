import type { LaneProducer, LaneTask } from '#queue';
import type { Aborts, ReplyInbox } from '#store';
import type { TextResult } from '#contracts';
import type { TaskExchange, Want } from './coalescer.js';

/** Longer than any task's deadline by this, since the worker's own clock decides whether it is over, ms. */
const GRACE_MS = 250;

/** The exchange with the workers: BullMQ there, the reply inbox back. */
export class QueueExchange implements TaskExchange {
  readonly #lanes: LaneProducer;
  readonly #inbox: ReplyInbox;
  readonly #aborts: Aborts;
  readonly #waitTimeoutMs: number;
  readonly #onDropped: (model: string, texts: number) => void;

  constructor(
    lanes: LaneProducer,
    inbox: ReplyInbox,
    aborts: Aborts,
    { waitTimeoutMs, onDropped }: { waitTimeoutMs: number; onDropped: (model: string, texts: number) => void },
  ) {
    this.#lanes = lanes;
    this.#inbox = inbox;
    this.#aborts = aborts;
    this.#waitTimeoutMs = waitTimeoutMs;
    this.#onDropped = onDropped;
  }

  enqueue(tasks: readonly LaneTask[]): Promise<void> {
    return this.#lanes.enqueue(tasks);
  }

  reply(taskId: string, signal: AbortSignal, onTimings?: Want['onTimings']): Promise<TextResult[] | 'timeout'> {
    return this.#inbox.wait(taskId, { timeoutMs: this.#waitTimeoutMs + GRACE_MS, signal, onTimings });
  }

  drop(task: LaneTask, indexes: readonly number[]): void {
    if (indexes.length === 0) return;
    this.#onDropped(task.task.model, indexes.length);
    // Best effort: what is not dropped is computed in vain, and ends in the cache.
    this.#drop(task, indexes).catch(() => {});
  }

  async #drop({ id, lane, task }: LaneTask, indexes: readonly number[]): Promise<void> {
    await this.#aborts.drop(id, indexes);
    if (indexes.length === task.texts.length) await this.#lanes.remove(task.model, lane, [id]);
  }
}
