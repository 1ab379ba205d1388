import type { AdminJobDetail } from '#contracts';
import { count, duration, short } from '../figures/format.js';
import { CopyButton } from '../parts/copy-button.js';
import { Empty, Problem, Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { linkTo } from '../router.js';
import { useResource } from '../server/use-resource.js';
import { ProgressBar } from './progress-bar.js';
import { Slices } from './slices.js';
import { JobActions } from './job-actions.js';
import { JobTimeline } from './job-timeline.js';

export function JobPage({ id }: { readonly id: string }) {
  const { data: job, failure, reload } = useResource<AdminJobDetail>(`/admin/v1/jobs/${encodeURIComponent(id)}`);
  if (job === null) {
    if (failure === null) return <Skeleton lines={10} />;
    if (failure.status !== 404) return <Problem failure={failure} retry={reload} />;
    return (
      <Empty title="There is no such job">
        <p>
          It was never there, or was forgotten some time after its last change. <a href={linkTo('jobs')}>All jobs</a>
        </p>
      </Empty>
    );
  }
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
        <section class="panel">
          <h2>Counts</h2>
          <Counts job={job} />
        </section>
        <section class="panel">
          <h2>Timeline</h2>
          <JobTimeline events={job.timeline} />
        </section>
        <section class="panel whole">
          <h2>Slices</h2>
          <Slices slices={job.slices} />
        </section>
        <section class="panel whole">
          <h2>Failed texts</h2>
          <Failures job={job} />
        </section>
        <section class="panel whole">
          <h2>Spec</h2>
          <Spec job={job} />
        </section>
      </div>
    </>
  );
}

function Counts({ job }: { readonly job: AdminJobDetail }) {
  const { texts, done, cached, failed, pending, truncated } = job.counts;
  return (
    <dl class="facts">
      <Fact name="Texts" value={count(texts)} />
      <Fact name="Done" value={count(done)} />
      <Fact name="From the cache" value={count(cached)} />
      <Fact name="Failed" value={count(failed)} />
      <Fact name="Pending" value={count(pending)} />
      <Fact name="Truncated" value={count(truncated)} />
      <Fact name="Tokens" value={count(job.tokens)} />
      <Fact
        name="Rate"
        value={
          job.rate === null
            ? '–'
            : `${short(job.rate.texts_per_second)} texts/s, ${short(job.rate.tokens_per_second)} tokens/s`
        }
      />
    </dl>
  );
}

function Failures({ job: { failures, counts } }: { readonly job: AdminJobDetail }) {
  if (failures.data.length === 0) return <p class="hint">None.</p>;
  return (
    <div class="table-box low" tabIndex={0} role="region" aria-label="Failed texts">
      <table>
        <thead>
          <tr>
            <th scope="col" class="number">
              Index
            </th>
            <th scope="col">Code</th>
            <th scope="col">Reason</th>
          </tr>
        </thead>
        <tbody>
          {failures.data.map(({ index, code, message }) => (
            <tr key={index}>
              <th scope="row" class="number">
                {count(index)}
              </th>
              <td>
                <code>{code}</code>
              </td>
              <td>{message}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {failures.has_more && (
        <p class="hint">
          The first {count(failures.data.length)} of {count(counts.failed)}; all of them stand in the results.
        </p>
      )}
    </div>
  );
}

function Spec({ job }: { readonly job: AdminJobDetail }) {
  return (
    <dl class="facts wide">
      <Fact name="Model" value={job.model} />
      <Fact name="Lane" value={job.lane} />
      <Fact name="Dimensions" value={count(job.dimensions)} />
      <Fact name="Unit length" value={job.normalize ? 'yes' : 'no'} />
      <Fact name="Truncates at" value={job.spec.truncate} />
      <Fact name="Prompt" value={job.spec.prompt === '' ? 'none' : JSON.stringify(job.spec.prompt)} />
      <Fact name="Key" value={job.key === null ? '–' : `${job.key.name ?? '–'} (${job.key.id})`} />
      <Fact name="Tenant" value={job.tenant === '' ? '–' : job.tenant} />
      <Fact name="Fingerprint" value={job.spec.fingerprint} />
    </dl>
  );
}

function Fact({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
