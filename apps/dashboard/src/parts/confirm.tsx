import type { ComponentChildren } from 'preact';
import { useAction } from '../server/use-action.js';
import { announce } from './announcer.js';
import { Dialog, DialogActions } from './dialog.js';
import { ActionProblem } from './notice.js';

export interface ConfirmProps {
  readonly title: string;
  /** Text that says what will happen. */
  readonly children: ComponentChildren;
  /** Label of the button, as `Pause the queue`. */
  readonly verb: string;
  /** Whether it destroys or stops something. */
  readonly danger?: boolean;
  /** Performs the action. @returns a message that says what has happened, to announce */
  readonly act: () => Promise<string>;
  readonly onClose: () => void;
}

/** Asks for confirmation, performs the action, and reports the outcome. */
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
