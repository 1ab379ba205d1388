import { setTimeout as sleep } from 'node:timers/promises';
import { lock } from 'proper-lockfile';

/** A lock that has not been refreshed for this time belongs to a process that has died, ms. */
const STALE_MS = 15_000;
const REFRESH_MS = 2_000;
const LOOK_AGAIN_MS = 100;

/**
 * Runs the work while holding a lock on the path, so that processes that share a folder take turns. Waits for the lock
 * without a time limit, since a download may take long.
 */
export async function withFileLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const release = await acquire(path);
  try {
    return await work();
  } finally {
    // Rejects when the lock was lost meanwhile; the work is done in any case.
    await release().catch(() => {});
  }
}

async function acquire(path: string): Promise<() => Promise<void>> {
  for (;;) {
    try {
      return await lock(path, {
        realpath: false,
        // Not `.lock`: version 0.1.0 has a file of that name, while this lock is a folder.
        lockfilePath: `${path}.held`,
        stale: STALE_MS,
        update: REFRESH_MS,
        // A process that was suspended for longer loses its lock. Work under a lock ends with a rename or a checksum,
        // so two processes at once do no harm. The default handler throws in a timer, which would end the process.
        onCompromised: () => {},
      });
    } catch (error) {
      // Only a held lock is waited for: the library's retries would wait forever for a folder that cannot be written.
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
    }
    await sleep(LOOK_AGAIN_MS);
  }
}
