import type { Task } from '#contracts';
import type { TextSignal } from '#inference';
import type { Abort } from '#store';
import { TextAbort } from './text-abort.js';

/**
 * The tasks this worker holds, so that news of an abort finds the texts it means.
 * A task enters before it asks the store whether it is still wanted: between the two, no news is missed.
 */
export class LiveTasks {
  readonly #tasks = new Map<string, Set<LiveTask>>();

  /** @param leaving fires when this worker gives up what it holds. */
  enter(task: Task, taskId: string, leaving: AbortSignal): LiveTask {
    const group = task.kind === 'job' ? task.jobId : taskId;
    const live = new LiveTask(task.texts.length, leaving, () => {
      const tasks = this.#tasks.get(group);
      tasks?.delete(live);
      if (tasks?.size === 0) this.#tasks.delete(group);
    });
    const tasks = this.#tasks.get(group);
    if (tasks === undefined) this.#tasks.set(group, new Set([live]));
    else tasks.add(live);
    return live;
  }

  abort(abort: Abort): void {
    if ('jobId' in abort) {
      for (const task of this.#tasks.get(abort.jobId) ?? []) task.dropAll();
    } else {
      for (const task of this.#tasks.get(abort.taskId) ?? []) task.drop(abort.indexes);
    }
  }
}

/** A task under way: which of its texts are still wanted. */
export class LiveTask {
  /** One for each text; fires when it is dropped. */
  readonly signals: readonly TextSignal[];
  readonly #aborts: readonly TextAbort[];
  readonly #leaving: AbortSignal;
  readonly #ended: () => void;

  constructor(texts: number, leaving: AbortSignal, ended: () => void) {
    this.signals = this.#aborts = Array.from({ length: texts }, () => new TextAbort());
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
