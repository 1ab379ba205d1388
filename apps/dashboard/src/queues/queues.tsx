import { useState } from 'preact/hooks';
import type { Lane, LaneView, QueueAction } from '#contracts';
import { AuditLog } from '../audit/audit.js';
import { count, duration } from '../figures/format.js';
import { LANES_IN_ORDER } from '../figures/lanes.js';
import { LaneName } from '../parts/lane-name.js';
import { Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { type Column, Table } from '../parts/table.js';
import { snapshot } from '../server/live.js';
import { ConfirmAction, type Question } from './confirm-action.js';

interface Queue {
  readonly model: string;
  readonly lane: Lane;
  readonly view: LaneView;
}

/** The two queues of each model, the actions on them, and the audit log. */
export function Queues() {
  const [question, setQuestion] = useState<Question | null>(null);
  const current = snapshot.value;
  if (current === null) return <Skeleton lines={8} />;
  return (
    <>
      <Table
        caption="Queues"
        columns={columnsOf(setQuestion)}
        rows={current.models.flatMap(({ name: model, lanes }) =>
          LANES_IN_ORDER.map((lane): Queue => ({ model, lane, view: lanes[lane] })),
        )}
        id={({ model, lane }) => `${model}/${lane}`}
        data={({ model, lane, view }) => ({ 'data-lane': `${model}/${lane}`, 'data-paused': view.paused })}
      />
      <p class="hint">
        Each model has two queues: <b>interactive</b>, for requests that wait for their answer and for jobs of high
        priority, and <b>bulk</b>, for all other jobs. Counts are of tasks: parts of a job or request with up to 64
        texts. <a href="/dashboard/queues/">The same in BullMQ’s own dashboard</a>
      </p>
      <h2>Audit log</h2>
      <AuditLog />
      {question !== null && <ConfirmAction question={question} onClose={() => setQuestion(null)} />}
    </>
  );
}

function columnsOf(ask: (question: Question) => void): readonly Column<Queue>[] {
  return [
    { title: 'Model', cell: ({ model }) => model },
    { title: 'Queue', cell: ({ lane }) => <LaneName lane={lane} /> },
    { title: 'State', cell: ({ view }) => <State state={stateOf(view)} /> },
    { title: 'Waiting', cell: ({ view }) => count(view.waiting), number: true },
    { title: 'Active', cell: ({ view }) => count(view.active), number: true },
    { title: 'Delayed', cell: ({ view }) => count(view.delayed), number: true },
    {
      title: 'Failed',
      cell: ({ view }) => count(view.failed),
      number: true,
      alarming: ({ view }) => view.failed > 0,
    },
    { title: 'Texts', cell: ({ view }) => count(view.texts), number: true },
    { title: 'Backlog', cell: ({ view }) => duration(view.backlog_seconds), number: true },
    { title: 'Oldest', cell: ({ view }) => duration(view.oldest_age_seconds), number: true },
    { title: 'Actions', cell: (queue) => <Actions queue={queue} ask={(action) => ask({ ...queue, action })} /> },
  ];
}

function stateOf({ active, paused, waiting }: LaneView): string {
  if (paused) return 'paused';
  return active + waiting > 0 ? 'running' : 'idle';
}

function Actions({ queue, ask }: { readonly queue: Queue; readonly ask: (action: QueueAction) => void }) {
  const { paused, failed } = queue.view;
  const of = `the ${queue.lane} queue of ${queue.model}`;
  const button = (action: QueueAction, name: string, label: string, disabled = false) => (
    <button type="button" class="small" aria-label={label} disabled={disabled} onClick={() => ask(action)}>
      {name}
    </button>
  );
  return (
    <div class="row-actions">
      {paused ? button('resume', 'Resume', `Resume ${of}`) : button('pause', 'Pause', `Pause ${of}`)}
      {button('retry-failed', 'Retry failed', `Retry failed tasks of ${of}`, failed === 0)}
      {button('clean', 'Clean', `Clean ${of}`, failed === 0)}
    </div>
  );
}
