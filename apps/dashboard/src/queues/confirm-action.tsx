import type { ComponentChildren } from 'preact';
import type { Lane, LaneView, QueueAction, QueueActionRequest, QueueActionResult } from '#contracts';
import { counted } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { send } from '../server/http.js';

export interface Question {
  readonly model: string;
  readonly lane: Lane;
  readonly action: QueueAction;
  readonly view: LaneView;
}

interface Wording {
  readonly title: string;
  readonly verb: string;
  readonly danger: boolean;
  /** Text that says what will happen. */
  readonly effect: ComponentChildren;
  /** Message that says what has happened. @param affected number of tasks */
  readonly done: (affected: number) => string;
}

/** Says what an action will do to a queue, and performs it when confirmed. */
export function ConfirmAction({ question, onClose }: { readonly question: Question; readonly onClose: () => void }) {
  const { model, lane, action } = question;
  const { title, verb, danger, effect, done } = wordingOf(question);
  const act = async () => {
    const request: QueueActionRequest = { model, lane, action };
    const { affected } = await send<QueueActionResult>('POST', '/admin/v1/queues/actions', request);
    return done(affected);
  };
  return (
    <Confirm title={title} verb={verb} danger={danger} onClose={onClose} act={act}>
      <p>{effect}</p>
    </Confirm>
  );
}

function wordingOf({ model, lane, action, view }: Question): Wording {
  const of = `the ${lane} queue of ${model}`;
  switch (action) {
    case 'pause':
      return {
        title: `Pause ${of}?`,
        verb: 'Pause the queue',
        danger: true,
        effect: `Workers finish the ${counted(view.active, 'task')} they hold and take no more from this queue. New work is still accepted and waits${
          lane === 'interactive' ? '; requests that wait for their answer will time out' : ''
        }. The queue stays paused until an operator resumes it.`,
        done: () => `Paused ${of}.`,
      };
    case 'resume':
      return {
        title: `Resume ${of}?`,
        verb: 'Resume the queue',
        danger: false,
        effect: `Workers take its ${counted(view.waiting, 'waiting task')} at once.`,
        done: () => `Resumed ${of}.`,
      };
    case 'retry-failed':
      return {
        title: `Retry failed tasks of ${of}?`,
        verb: 'Retry the tasks',
        danger: false,
        effect: `${counted(view.failed, 'task')} failed permanently: their jobs try those texts again. A text that is itself at fault will fail again.`,
        done: (affected) => `${counted(affected, 'task')} of ${of} queued again.`,
      };
    case 'clean':
      return {
        title: `Clean ${of}?`,
        verb: 'Clean',
        danger: true,
        effect: `The records of ${counted(view.failed, 'task')} that failed permanently are removed, and can no longer be retried from here. Waiting work is not touched. This cannot be undone.`,
        done: (affected) => `${counted(affected, 'record')} of ${of} removed.`,
      };
  }
}
