import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape, and then restores the focus. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const element = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => {
    const dialog = element.current!;
    dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={element} aria-labelledby={id} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      {children}
    </dialog>
  );
}

export interface DialogActionsProps {
  readonly onClose: () => void;
  /** The button that performs the action. */
  readonly children: ComponentChildren;
}

/** The buttons of a dialog: close it without a change, or perform the action. */
export function DialogActions({ onClose, children }: DialogActionsProps) {
  return (
    <div class="dialog-actions">
      <button type="button" class="quiet" onClick={onClose}>
        Leave it
      </button>
      {children}
    </div>
  );
}
