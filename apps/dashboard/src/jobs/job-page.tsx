import type { AdminJobDetail } from '#contracts';
import { count, duration, short } from '../figures/format.js';
import { CopyButton } from '../parts/copy-button.js';
import { Facts } from '../parts/facts.js';
import { Loaded } from '../parts/loaded.js';
import { Empty } from '../parts/notice.js';
import { Panel } from '../parts/panel.js';
import { State } from '../parts/state.js';
import { type Column, Table } from '../parts/table.js';
import { linkTo } from '../router.js';
import { useResource } from '../server/use-resource.js';
import { InputProgress } from './input-progress.js';
import { JobActions } from './job-actions.js';
import { JobTimeline } from './job-timeline.js';
import { ProgressBar } from './progress-bar.js';

interface JobProps {
  readonly job: AdminJobDetail;
}

export function JobPage({ id }: { readonly id: string }) {
  const job = useResource<AdminJobDetail>(`/admin/v1/jobs/${encodeURIComponent(id)}`);
  if (job.data === null && job.failure?.status === 404) {
    return (
      <Empty title="There is no such job">
        <p>
          It never existed, or has been deleted some time after its last change. <a href={linkTo('jobs')}>All jobs</a>
        </p>
      </Empty>
    );
  }
  return (
    <Loaded resource={job} lines={10}>
      {(data) => <Job job={data} reload={job.reload} />}
    </Loaded>
  );
}

function Job({ job, reload }: JobProps & { readonly reload: () => void }) {
  return (
    <>
      <div class="job-head">
        <State state={job.state} />
        <ProgressBar job={job} />
        <span class="job-eta">{job.eta_seconds === null ? '' : `${duration(job.eta_seconds)} left`}</span>
        <CopyButton text={job.id} what="the job’s id" />
      </div>
      {job.error !== null && (
        <p class="problem">
          {job.error.message} <code>{job.error.code}</code>
        </p>
      )}
      <JobActions job={job} reload={reload} />
      <div class="panels">
        <Panel title="Counts">
          <Counts job={job} />
        </Panel>
        <Panel title="Timeline">
          <JobTimeline events={job.timeline} />
        </Panel>
        <Panel title="Progress along the input" wide>
          <InputProgress slices={job.slices} />
        </Panel>
        <Panel title="Failed texts" wide>
          <Failures job={job} />
        </Panel>
        <Panel title="Settings" wide>
          <Settings job={job} />
        </Panel>
      </div>
    </>
  );
}

function Counts({ job: { counts, rate, tokens } }: JobProps) {
  return (
    <Facts
      facts={{
        'Texts': count(counts.texts),
        'Done': count(counts.done),
        'From the cache': count(counts.cached),
        'Failed': count(counts.failed),
        'Pending': count(counts.pending),
        'Truncated': count(counts.truncated),
        'Tokens': count(tokens),
        'Rate':
          rate === null ? '–' : `${short(rate.texts_per_second)} texts/s, ${short(rate.tokens_per_second)} tokens/s`,
      }}
    />
  );
}

const FAILURE_COLUMNS: readonly Column<AdminJobDetail['failures']['data'][number]>[] = [
  { title: 'Index', cell: ({ index }) => count(index), number: true },
  { title: 'Code', cell: ({ code }) => <code>{code}</code> },
  { title: 'Reason', cell: ({ message }) => message },
];

function Failures({ job: { failures, counts } }: JobProps) {
  return (
    <>
      <Table
        caption="Failed texts"
        layout="low"
        columns={FAILURE_COLUMNS}
        rows={failures.data}
        id={({ index }) => index}
        empty={<p class="hint">None.</p>}
      />
      {failures.has_more && (
        <p class="hint">
          The first {count(failures.data.length)} of {count(counts.failed)}; the results contain all of them.
        </p>
      )}
    </>
  );
}

function Settings({ job: { spec, key, ...job } }: JobProps) {
  return (
    <Facts
      wide
      facts={{
        'Model': job.model,
        'Queue': job.lane,
        'Dimensions': count(job.dimensions ?? null),
        'Unit length': job.normalize ? 'yes' : 'no',
        'Truncates at': spec.truncate,
        'Prompt': spec.prompt === '' ? 'none' : JSON.stringify(spec.prompt),
        'Key': key === null ? '–' : `${key.name ?? '–'} (${key.id})`,
        'Tenant': job.tenant === '' ? '–' : job.tenant,
        'Fingerprint': spec.fingerprint,
      }}
    />
  );
}
