import type { ComponentChildren } from 'preact';
import { useAction } from '../server/use-action.js';
import { announce } from './announcer.js';
import { Dialog, DialogActions } from './dialog.js';
import { ActionProblem } from './notice.js';

export interface ConfirmProps {
  readonly title: string;
  /** What will happen. */
  readonly children: ComponentChildren;
  /** `Pause the queue` */
  readonly verb: string;
  /** Whether it destroys or stops something. */
  readonly danger?: boolean;
  /** Does it. @returns what has happened, to be announced */
  readonly act: () => Promise<string>;
  readonly onClose: () => void;
}

/** Asks before something is done, does it, and says how it went. */
export function Confirm({ title, children, verb, danger = false, act, onClose }: ConfirmProps) {
  const { busy, problem, run } = useAction();
  const go = () =>
    run(async () => {
      announce(await act());
      onClose();
    });
  return (
    <Dialog title={title} onClose={onClose}>
      <div class="dialog-text">{children}</div>
      <ActionProblem problem={problem} />
      <DialogActions onClose={onClose}>
        <button type="button" class={danger ? 'danger' : 'primary'} disabled={busy} onClick={() => void go()}>
          {verb}
        </button>
      </DialogActions>
    </Dialog>
  );
}
