import { useState } from 'preact/hooks';
import type { WorkerView } from '#contracts';
import { bytes, count, duration, moment, percent, short, shortId } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { StartWorker } from '../overview/start-worker.js';
import { send } from '../server/http.js';
import { snapshot, snapshotAge } from '../server/live.js';

export function Workers() {
  const [dismissing, setDismissing] = useState<WorkerView | null>(null);
  const seen = snapshot.value;
  if (seen === null) return <Skeleton lines={6} />;
  if (seen.workers.length === 0) return <StartWorker />;
  return (
    <>
      <List workers={seen.workers} dismiss={setDismissing} />
      {dismissing !== null && (
        <Confirm
          title={`Dismiss ${dismissing.host}, pid ${dismissing.pid}?`}
          verb="Dismiss the worker"
          onClose={() => setDismissing(null)}
          act={async () => {
            await send('DELETE', `/admin/v1/workers/${encodeURIComponent(dismissing.id)}`);
            return `The worker ${dismissing.id} is shown no more.`;
          }}
        >
          <p>
            It is taken from this list, and would go by itself an hour after it was lost. What it held runs again
            elsewhere in any case. If it is still alive, it comes back with its next heartbeat.
          </p>
        </Confirm>
      )}
    </>
  );
}

interface ListProps {
  readonly workers: readonly WorkerView[];
  readonly dismiss: (worker: WorkerView) => void;
}

function List({ workers, dismiss }: ListProps) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Workers">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">State</th>
            <th scope="col">Device</th>
            <th scope="col">Models</th>
            <th scope="col" class="number">
              Tokens/s
            </th>
            <th scope="col" class="number">
              Texts/s
            </th>
            <th scope="col" class="number">
              Batch fill
            </th>
            <th scope="col" class="number">
              Memory
            </th>
            <th scope="col" class="number">
              In flight
            </th>
            <th scope="col" class="number">
              Heartbeat
            </th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <Row key={worker.id} worker={worker} dismiss={() => dismiss(worker)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ worker, dismiss }: { readonly worker: WorkerView; readonly dismiss: () => void }) {
  return (
    <tr data-worker={worker.id} data-state={worker.state}>
      <th scope="row" data-label="Worker">
        <b>{worker.host}</b>
        <small title={`started ${moment(worker.started_at)}`}>
          pid {worker.pid} · {worker.version} ·{' '}
          <span class="id" title={worker.id}>
            {shortId(worker.id)}
          </span>
        </small>
      </th>
      <td data-label="State">
        <State state={worker.state} />
        {worker.reason !== null && <small>{worker.reason}</small>}
        {worker.state === 'lost' && (
          <button type="button" class="small" aria-label={`Dismiss the lost worker ${worker.id}`} onClick={dismiss}>
            Dismiss
          </button>
        )}
      </td>
      <td data-label="Device">{worker.device}</td>
      <td data-label="Models">
        {worker.models.map(({ name, dtype, fingerprint }) => (
          <div key={name} title={`fingerprint ${fingerprint}`}>
            {name} <small class="inline">{dtype}</small>
          </div>
        ))}
      </td>
      <td class="number" data-label="Tokens/s">
        {short(worker.tokens_per_second)}
      </td>
      <td class="number" data-label="Texts/s">
        {short(worker.texts_per_second)}
      </td>
      <td class="number" data-label="Batch fill">
        {percent(worker.fill)}
      </td>
      <td class="number" data-label="Memory">
        {bytes(worker.memory_bytes)}
      </td>
      <td class="number" data-label="In flight">
        {count(worker.tasks_in_flight)} <small class="inline">tasks</small>
      </td>
      <td class="number" data-label="Heartbeat" title={moment(worker.heartbeat_at)}>
        <Age seconds={worker.heartbeat_age_seconds} /> <small class="inline">ago</small>
      </td>
    </tr>
  );
}

/** Goes on ticking between snapshots; apart, so that nothing else is drawn again for it. */
function Age({ seconds }: { readonly seconds: number }) {
  return <>{duration(Math.round(seconds + snapshotAge.value))}</>;
}
