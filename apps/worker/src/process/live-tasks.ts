import type { Task } from '#contracts';
import type { InputSignal } from '#inference';
import type { Cancellation } from '#store';
import { InputAbort } from './input-abort.js';

/**
 * The tasks this worker holds, so that a cancellation finds the inputs it means.
 * A task enters before it asks the store whether it is still wanted: between the two, none is missed.
 */
export class LiveTasks {
  readonly #tasks = new Map<string, Set<LiveTask>>();

  /** @param leaving fires when this worker gives up what it holds. */
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

/** A task under way: which of its inputs are still wanted. */
export class LiveTask {
  /** One for each input; fires when it is dropped. */
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

  /** Indexes still wanted, ascending. */
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
