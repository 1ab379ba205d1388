import { useState } from 'preact/hooks';
import type { WorkerView } from '#contracts';
import { BATCH_EFFICIENCY, bytes, count, duration, moment, percent, short, shortId } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { type Column, Table } from '../parts/table.js';
import { StartWorker } from '../overview/start-worker.js';
import { send } from '../server/http.js';
import { snapshot, snapshotAge } from '../server/live.js';

export function Workers() {
  const [dismissing, setDismissing] = useState<WorkerView | null>(null);
  const current = snapshot.value;
  if (current === null) return <Skeleton lines={6} />;
  return (
    <>
      <Table
        caption="Workers"
        columns={columnsOf(setDismissing)}
        rows={current.workers}
        id={({ id }) => id}
        data={({ id, state }) => ({ 'data-worker': id, 'data-state': state })}
        empty={<StartWorker />}
      />
      {dismissing !== null && (
        <Confirm
          title={`Dismiss ${dismissing.host}, pid ${dismissing.pid}?`}
          verb="Dismiss the worker"
          onClose={() => setDismissing(null)}
          act={async () => {
            await send('DELETE', `/admin/v1/workers/${encodeURIComponent(dismissing.id)}`);
            return `The worker ${dismissing.id} is no longer listed.`;
          }}
        >
          <p>
            It is removed from this list, as would happen by itself an hour after it was lost. Its tasks run again on
            other workers in any case. If it is still alive, it comes back with its next heartbeat.
          </p>
        </Confirm>
      )}
    </>
  );
}

function columnsOf(dismiss: (worker: WorkerView) => void): readonly Column<WorkerView>[] {
  return [
    {
      title: 'Worker',
      cell: ({ host, id, pid, version, started_at: started }) => (
        <>
          <b>{host}</b>
          <small title={`started ${moment(started)}`}>
            pid {pid} · {version} ·{' '}
            <span class="id" title={id}>
              {shortId(id)}
            </span>
          </small>
        </>
      ),
    },
    { title: 'State', cell: (worker) => <WorkerState worker={worker} dismiss={() => dismiss(worker)} /> },
    { title: 'Device', cell: ({ device }) => device },
    {
      title: 'Models',
      cell: ({ models }) =>
        models.map(({ name, dtype, fingerprint }) => (
          <div key={name} title={`fingerprint ${fingerprint}`}>
            {name} <small class="inline">{dtype}</small>
          </div>
        )),
    },
    { title: 'Tokens/s', cell: (worker) => short(worker.tokens_per_second), number: true },
    { title: 'Texts/s', cell: (worker) => short(worker.texts_per_second), number: true },
    { title: 'Batch efficiency', cell: ({ fill }) => percent(fill), number: true, hint: () => BATCH_EFFICIENCY },
    { title: 'Memory', cell: (worker) => bytes(worker.memory_bytes), number: true },
    {
      title: 'In flight',
      cell: (worker) => (
        <>
          {count(worker.tasks_in_flight)} <small class="inline">tasks</small>
        </>
      ),
      number: true,
    },
    {
      title: 'Heartbeat',
      cell: (worker) => (
        <>
          <Age seconds={worker.heartbeat_age_seconds} /> <small class="inline">ago</small>
        </>
      ),
      number: true,
      hint: (worker) => moment(worker.heartbeat_at),
    },
  ];
}

function WorkerState({ worker, dismiss }: { readonly worker: WorkerView; readonly dismiss: () => void }) {
  return (
    <>
      <State state={worker.state} />
      {worker.reason !== null && <small>{worker.reason}</small>}
      {worker.state === 'lost' && (
        <button type="button" class="small" aria-label={`Dismiss the lost worker ${worker.id}`} onClick={dismiss}>
          Dismiss
        </button>
      )}
    </>
  );
}

/** Counts on between snapshots. A separate component, so that nothing else is rendered again for it. */
function Age({ seconds }: { readonly seconds: number }) {
  return <>{duration(Math.round(seconds + snapshotAge.value))}</>;
}
