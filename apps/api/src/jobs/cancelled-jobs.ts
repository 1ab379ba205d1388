import { jobTaskId, type Lane } from '#contracts';
import type { LaneProducer } from '#queue';
import type { Cancellations } from '#store';

/** Tasks removed per call. */
const CHUNK = 500;

/** A job whose tasks are no longer needed. */
export interface EndedJob {
  readonly id: string;
  readonly model: string;
  readonly lane: Lane;
  /** Upper bound of its units of work; each may have a task. */
  readonly units: number;
}

/**
 * Removes the tasks of cancelled and failed jobs from the queue. Running tasks are cancelled at once; waiting tasks are
 * removed in the background, since there may be many thousands. A worker drops any task that was missed when it takes
 * it.
 */
export class CancelledJobs {
  readonly #cancellations: Cancellations;
  readonly #producer: LaneProducer;
  readonly #onError: (error: unknown) => void;
  readonly #removals = new Set<Promise<void>>();
  #closed = false;

  constructor(cancellations: Cancellations, producer: LaneProducer, onError: (error: unknown) => void) {
    this.#cancellations = cancellations;
    this.#producer = producer;
    this.#onError = onError;
  }

  /** Starts removing the job's tasks; returns at once. */
  drop(job: EndedJob): void {
    const removal = this.#remove(job).catch(this.#onError);
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
  }

  /** Stops removing; resolves when removals under way have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.idle();
  }

  /** Resolves when all jobs dropped so far are removed. */
  async idle(): Promise<void> {
    await Promise.all(this.#removals);
  }

  async #remove({ id, model, lane, units }: EndedJob): Promise<void> {
    await this.#cancellations.cancelJob(id);
    for (let from = 0; from < units && !this.#closed; from += CHUNK) {
      const ids = Array.from({ length: Math.min(CHUNK, units - from) }, (_, index) => jobTaskId(id, from + index));
      await this.#producer.remove(model, lane, ids);
    }
  }
}
