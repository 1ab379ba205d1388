import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';

export interface DialogProps {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own modal dialog: it keeps the focus inside, closes on Escape, and gives the focus back. */
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
  /** The button that does it. */
  readonly children: ComponentChildren;
}

/** The last line of a dialog: leave everything as it is, or go on. */
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
