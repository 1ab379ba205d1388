import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';

/** A lock not refreshed for so long was left by a process that died. */
const STALE_MS = 15_000;
const REFRESH_MS = 2_000;
const LOOK_AGAIN_MS = 100;

/**
 * Runs the work while holding a lock on the path, so that processes that share a folder take turns. Waits for as long as
 * others hold it: a download takes its time.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const release = await acquire(path);
  try {
    return await work();
  } finally {
    // Rejects when the lock was lost meanwhile; the work is done all the same.
    await release().catch(() => {});
  }
}

async function acquire(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      return await lock(path, {
        realpath: false,
        // Version 0.1.0 kept a file under `.lock`, where this lock is a folder.
        lockfilePath: `${path}.held`,
        stale: STALE_MS,
        update: REFRESH_MS,
        // A process that was stopped for longer has lost its lock; what it does under it ends in a rename or a checksum,
        // so two at once do no harm. The default is to throw out of a timer, which would end the process.
        onCompromised: () => {},
      });
    } catch (error) {
      // The library's own retries would wait forever on a folder that cannot be written.
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
