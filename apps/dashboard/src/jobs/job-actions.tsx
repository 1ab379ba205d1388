import { useState } from 'preact/hooks';
import type { AdminJobDetail } from '#contracts';
import { count, counted, moment } from '../figures/format.js';
import { Confirm } from '../parts/confirm.js';
import { send } from '../server/http.js';

const FORMATS = [
  { format: 'npy', title: 'NumPy (.npy)' },
  { format: 'ndjson', title: 'NDJSON' },
  { format: 'f32', title: 'Raw float32 (.f32)' },
];

/** The actions on a job: cancel it, retry its failed texts, download its results. */
export function JobActions({ job, reload }: { readonly job: AdminJobDetail; readonly reload: () => void }) {
  const [asking, setAsking] = useState<'cancel' | 'retry' | null>(null);
  const final = job.state === 'completed' || job.state === 'failed' || job.state === 'cancelled';
  const close = () => setAsking(null);
  return (
    <div class="actions">
      <button type="button" class="danger" disabled={final} onClick={() => setAsking('cancel')}>
        Cancel
      </button>
      <button type="button" disabled={job.retriable === 0} onClick={() => setAsking('retry')}>
        Retry failed{job.retriable > 0 && ` (${count(job.retriable)})`}
      </button>
      <span class="downloads">
        {FORMATS.map(({ format, title }) => (
          <a
            key={format}
            class="button"
            href={`/v1/jobs/${encodeURIComponent(job.id)}/results?format=${format}`}
            download={`${job.id}.${format}`}
          >
            {title}
          </a>
        ))}
      </span>
      {asking === 'cancel' && (
        <Confirm
          title="Cancel this job?"
          verb="Cancel the job"
          danger
          onClose={close}
          act={async () => {
            await send('DELETE', `/v1/jobs/${encodeURIComponent(job.id)}`);
            reload();
            return `Job ${job.id} is cancelled.`;
          }}
        >
          <p>
            {counted(job.counts.pending, 'text')} that are not done yet will not be computed.{' '}
            {counted(job.counts.done, 'vector')} computed so far are kept until {moment(job.expires_at)}. This cannot be
            undone.
          </p>
        </Confirm>
      )}
      {asking === 'retry' && (
        <Confirm
          title="Retry the failed texts?"
          verb="Retry"
          onClose={close}
          act={async () => {
            await send('POST', `/v1/jobs/${encodeURIComponent(job.id)}/retry`);
            reload();
            return `The failed texts of job ${job.id} are queued again.`;
          }}
        >
          <p>
            {counted(job.retriable, 'text')} will be queued again in the {job.lane} queue. A text that is itself at
            fault will fail again.
          </p>
        </Confirm>
      )}
    </div>
  );
}
