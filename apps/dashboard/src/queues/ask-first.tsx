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

/** Says what an action will do to a lane, and does it when told to. */
export function AskFirst({ question, onClose }: { readonly question: Question; readonly onClose: () => void }) {
  const { model, lane, action, view } = question;
  const of = `the ${lane} lane of ${model}`;
  const act = async (said: (affected: number) => string) => {
    const request: QueueActionRequest = { model, lane, action };
    const { affected } = await send<QueueActionResult>('POST', '/admin/v1/queues/actions', request);
    return said(affected);
  };
  switch (action) {
    case 'pause':
      return (
        <Confirm
          title={`Pause ${of}?`}
          verb="Pause the lane"
          grave
          onClose={onClose}
          act={() => act(() => `Paused ${of}.`)}
        >
          <p>
            Workers finish the {counted(view.active, 'task')} they hold and take no more from this lane. New work is
            still accepted and waits
            {lane === 'interactive' ? '; requests that wait for their answer will time out' : ''}. It stays so until
            somebody resumes it.
          </p>
        </Confirm>
      );
    case 'resume':
      return (
        <Confirm
          title={`Resume ${of}?`}
          verb="Resume the lane"
          onClose={onClose}
          act={() => act(() => `Resumed ${of}.`)}
        >
          <p>Workers take its {counted(view.waiting, 'waiting task')} at once.</p>
        </Confirm>
      );
    case 'retry-failed':
      return (
        <Confirm
          title={`Retry failed tasks of ${of}?`}
          verb="Retry the tasks"
          onClose={onClose}
          act={() => act((affected) => `${counted(affected, 'task')} of ${of} queued again.`)}
        >
          <p>
            {counted(view.failed, 'task')} were given up: their jobs try those texts again. What is wrong with a text
            itself will fail again.
          </p>
        </Confirm>
      );
    case 'clean':
      return (
        <Confirm
          title={`Clean ${of}?`}
          verb="Clean"
          grave
          onClose={onClose}
          act={() => act((affected) => `${counted(affected, 'record')} of ${of} removed.`)}
        >
          <p>
            The records of {counted(view.failed, 'task')} that were given up are removed, and can no longer be retried
            from here. Waiting work is not touched. This cannot be undone.
          </p>
        </Confirm>
      );
  }
}
