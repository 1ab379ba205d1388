import type { Task } from '#contracts';
import type { InputSignal } from '#inference';
import type { Cancellation } from '#store';
import { InputAbort } from './input-abort.js';

/**
 * The tasks that this worker holds, by job id or task id, so that a cancellation reaches their inputs. A task must be
 * entered before the store is asked whether it is still wanted; otherwise a cancellation in between is lost.
 */
export class LiveTasks {
  readonly #tasks = new Map<string, Set<LiveTask>>();

  /** @param leaving aborts when this worker returns the tasks it holds to the queue. */
  enter(task: Task, taskId: string, leaving: AbortSignal): LiveTask {
    const group = task.kind === 'job' ? task.jobId : taskId;
    const live = new LiveTask(task.inputs.length, leaving, () => {
      const tasks = this.#tasks.get(group);
      tasks?.delete(live);
      if (tasks?.size === 0) this.#tasks.delete(group);
    });
    const tasks = this.#tasks.get(group);
    if (tasks === undefined) this.#tasks.set(group, new Set([live]));
    else tasks.add(live);
    return live;
  }

  cancel(cancellation: Cancellation): void {
    if ('jobId' in cancellation) {
      for (const task of this.#tasks.get(cancellation.jobId) ?? []) task.dropAll();
    } else {
      for (const task of this.#tasks.get(cancellation.taskId) ?? []) task.drop(cancellation.indexes);
    }
  }
}

/** A task under way, with a signal for each of its inputs. */
export class LiveTask {
  /** One for each input; aborts when the input is dropped. */
  readonly signals: readonly InputSignal[];
  readonly #aborts: readonly InputAbort[];
  readonly #leaving: AbortSignal;
  readonly #ended: () => void;

  constructor(inputs: number, leaving: AbortSignal, ended: () => void) {
    this.signals = this.#aborts = Array.from({ length: inputs }, () => new InputAbort());
    this.#leaving = leaving;
    this.#ended = ended;
    if (leaving.aborted) this.dropAll();
    else leaving.addEventListener('abort', this.dropAll);
  }

  /** Indexes of the inputs that are still wanted, ascending. */
  wanted(): number[] {
    const indexes: number[] = [];
    for (const [index, signal] of this.signals.entries()) if (!signal.aborted) indexes.push(index);
    return indexes;
  }

  drop(indexes: readonly number[]): void {
    for (const index of indexes) this.#aborts[index]?.abort();
  }

  readonly dropAll = (): void => {
    for (const abort of this.#aborts) abort.abort();
  };

  end(): void {
    this.#leaving.removeEventListener('abort', this.dropAll);
    this.#ended();
  }
}
