import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Failure } from '../server/http.js';
import { announce } from './announcer.js';
import { Dialog } from './dialog.js';

export interface ConfirmProps {
  readonly title: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  /** `Pause the lane` */
  readonly verb: string;
  readonly grave?: boolean;
  /** Does it. @returns what has happened, to be said */
  readonly act: () => Promise<string>;
  readonly onClose: () => void;
}

/** Asks before something is done, does it, and says how it went. */
export function Confirm({ title, children, verb, grave = false, act, onClose }: ConfirmProps) {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const go = async () => {
    setBusy(true);
    setProblem(null);
    try {
      announce(await act());
      onClose();
    } catch (error) {
      setProblem(error instanceof Failure ? error.message : String(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-text">{children}</div>
      {problem !== null && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
      <div class="dialog-actions">
        <button type="button" class="quiet" onClick={onClose}>
          Leave it
        </button>
        <button type="button" class={grave ? 'grave' : 'primary'} disabled={busy} onClick={() => void go()}>
          {verb}
        </button>
      </div>
    </Dialog>
  );
}
