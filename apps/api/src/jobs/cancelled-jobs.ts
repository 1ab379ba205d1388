import { jobTaskId, type Lane } from '#contracts';
import type { LaneProducer } from '#queue';
import type { Cancellations } from '#store';

/** Tasks removed in one go. */
const CHUNK = 500;

/** A job whose tasks nobody needs any more. */
export interface EndedJob {
  readonly id: string;
  readonly model: string;
  readonly lane: Lane;
  /** Units it has, or may have. */
  readonly units: number;
}

/**
 * Takes what is left of a job that was cancelled or failed out of the queue. Running work is told to stop at once; waiting tasks are removed in the background, since there may be many thousand. Whatever escapes is dropped by
 * the worker that takes it.
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

  /** Returns at once. */
  drop(job: EndedJob): void {
    const removal = this.#remove(job).catch(this.#onError);
    this.#removals.add(removal);
    void removal.finally(() => this.#removals.delete(removal));
  }

  /** Stops removing; settles when nothing is under way any more. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.idle();
  }

  /** Settles when what was dropped so far is removed. */
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
