/** Signals within this time count as one, ms: npm forwards a Ctrl-C that the terminal has already sent to the child. */
const SAME_SIGNAL_MS = 500;

/**
 * Runs `work`, then in every case `stop`: when the work has ended or failed, or on SIGINT, SIGTERM or SIGHUP. A second
 * signal calls `insist`.
 * @returns what the work returned; null when a signal ended it
 */
export async function untilSignal<T>(
  work: (signal: AbortSignal) => Promise<T>,
  stop: () => Promise<void>,
  insist: () => void,
): Promise<T | null> {
  const interrupted = new AbortController();
  let since = 0;
  const onSignal = () => {
    if (!interrupted.signal.aborted) {
      since = performance.now();
      interrupted.abort();
    } else if (performance.now() - since > SAME_SIGNAL_MS) {
      insist();
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const name of signals) process.on(name, onSignal);
  const interruption = new Promise<null>((resolve) => {
    interrupted.signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  const running = work(interrupted.signal);
  // After a signal, a failure of the work is only a consequence of it, and is ignored.
  running.catch(() => {});
  try {
    return await Promise.race([running, interruption]);
  } finally {
    await stop();
    for (const name of signals) process.off(name, onSignal);
  }
}
