import { useState } from 'preact/hooks';
import { messageOf } from './http.js';

export interface Action {
  readonly busy: boolean;
  /** Message of the last run's failure; null when it did not fail. */
  readonly problem: string | null;
  readonly run: (work: () => Promise<void>) => Promise<void>;
}

/** The state of a button's action: whether it is running, and why it failed. */
export function useAction(): Action {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const run = async (work: () => Promise<void>) => {
    setBusy(true);
    setProblem(null);
    try {
      await work();
    } catch (error) {
      setProblem(messageOf(error));
    } finally {
      setBusy(false);
    }
  };
  return { busy, problem, run };
}
