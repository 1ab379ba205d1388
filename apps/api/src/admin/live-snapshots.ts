import { setInterval } from 'node:timers';
import type { Snapshot } from '#contracts';
import type { Snapshots } from './snapshots.js';

const EVERY_MS = 2000;

/** Hears of a snapshot; null: there is none this time. */
export type SnapshotListener = (snapshot: Snapshot | null) => void;

/** One snapshot every 2 s for all who listen, however many they are; none while nobody does. */
export class LiveSnapshots {
  readonly #snapshots: Snapshots;
  readonly #listeners = new Set<SnapshotListener>();
  #timer: NodeJS.Timeout | undefined;
  #taking = false;

  constructor(snapshots: Snapshots) {
    this.#snapshots = snapshots;
  }

  /** @returns to be called when it wants no more */
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
    // Redis is slow: those who listen hear at least that this process lives.
    const late = this.#taking;
    this.#taking = true;
    const snapshot = late ? null : await this.#snapshots.take();
    for (const listener of [...this.#listeners]) listener(snapshot);
    if (!late) this.#taking = false;
  }
}
