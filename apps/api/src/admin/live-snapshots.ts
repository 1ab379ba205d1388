import { setInterval } from 'node:timers';
import type { Snapshot } from '#contracts';
import type { Snapshots } from './snapshots.js';

const EVERY_MS = 2000;

/** Receives each snapshot; null when none is available this time. */
export type SnapshotListener = (snapshot: Snapshot | null) => void;

/** Takes one snapshot every 2 s for all listeners together, and none while there are no listeners. */
export class LiveSnapshots {
  readonly #snapshots: Snapshots;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<SnapshotListener>();
  #timer: NodeJS.Timeout | undefined;
  #taking = false;

  constructor(snapshots: Snapshots, onError: (error: unknown) => void) {
    this.#snapshots = snapshots;
    this.#onError = onError;
  }

  /** @returns a function that unsubscribes the listener */
  listen(listener: SnapshotListener): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => void this.#produce(), EVERY_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  async #produce(): Promise<void> {
    const snapshot = await this.#take();
    for (const listener of [...this.#listeners]) listener(snapshot);
  }

  /** Null while the previous snapshot is still under way, or on an error: listeners still get a sign of life. */
  async #take(): Promise<Snapshot | null> {
    if (this.#taking) return null;
    this.#taking = true;
    try {
      return await this.#snapshots.take();
    } catch (error) {
      this.#onError(error);
      return null;
    } finally {
      this.#taking = false;
    }
  }
}
