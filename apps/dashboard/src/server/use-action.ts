import { useState } from 'preact/hooks';
import { messageOf } from './http.js';

export interface Action {
  readonly busy: boolean;
  /** Why the last run failed, in words; null when it did not. */
  readonly problem: string | null;
  readonly run: (work: () => Promise<void>) => Promise<void>;
}

/** Something that a button does: whether it is under way, and how it failed. */
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
