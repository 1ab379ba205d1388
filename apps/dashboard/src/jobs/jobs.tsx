import { useEffect, useRef, useState } from 'preact/hooks';
import type { AdminJob, AdminJobList, JobState } from '#contracts';
import { count, duration, moment, short, shortId } from '../figures/format.js';
import { Empty, Problem, Skeleton } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { linkTo } from '../router.js';
import { snapshot } from '../server/live.js';
import { useResource } from '../server/use-resource.js';
import { ProgressBar } from './progress-bar.js';

const STATES: readonly JobState[] = ['receiving', 'queued', 'running', 'completed', 'failed', 'cancelled'];
const FILTERS = ['state', 'model', 'key', 'id'] as const;
type Filter = (typeof FILTERS)[number];
/** Typing pauses so long before the list is asked for, ms. */
const TYPING_MS = 300;

/** Jobs, newest first. The filter stands in the address, so that a view can be sent to somebody. */
export function Jobs({ query }: { readonly query: URLSearchParams }) {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ''])) as Record<Filter, string>;
  const cursor = query.get('cursor') ?? '';
  const asked = new URLSearchParams(Object.entries({ ...filter, cursor }).filter(([, value]) => value !== ''));
  const jobs = useResource<AdminJobList>(`/admin/v1/jobs?${asked}`);
  const list = jobs.data;
  const filtered = FILTERS.some((name) => filter[name] !== '');
  return (
    <>
      <Filters filter={filter} />
      {list === null ? (
        jobs.failure === null ? (
          <Skeleton lines={8} />
        ) : (
          <Problem failure={jobs.failure} retry={jobs.reload} />
        )
      ) : list.data.length === 0 ? (
        <Empty title={filtered ? 'No job matches' : 'No jobs yet'}>
          {filtered ? (
            <p>
              Jobs are forgotten some time after their last change. <a href={linkTo('jobs')}>Show all</a>
            </p>
          ) : (
            <p>
              Send one:{' '}
              <code>
                curl {location.origin}/v1/jobs?model=NAME -H 'content-type: application/x-ndjson' --data-binary
                @texts.ndjson
              </code>
            </p>
          )}
        </Empty>
      ) : (
        <>
          <List jobs={list.data} />
          <p class="pages">
            {cursor !== '' && <a href={linkTo('jobs', undefined, filter)}>Newest</a>}
            {list.next_cursor !== null && (
              <a href={linkTo('jobs', undefined, { ...filter, cursor: list.next_cursor })}>Older</a>
            )}
          </p>
        </>
      )}
    </>
  );
}

function Filters({ filter }: { readonly filter: Record<Filter, string> }) {
  const [typed, setTyped] = useState(filter);
  const wanted = linkTo('jobs', undefined, typed);
  const shown = linkTo('jobs', undefined, filter);
  /** What typing led to; another address came from a link. */
  const led = useRef(shown);
  useEffect(() => {
    if (led.current === shown) return;
    led.current = shown;
    setTyped(filter);
  }, [shown]);
  useEffect(() => {
    if (wanted === led.current) return;
    const timer = setTimeout(() => {
      led.current = wanted;
      // In place of the entry in the browser's history: one for each letter would be in the way.
      location.replace(wanted);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [wanted]);
  const change = (name: Filter) => (event: Event) =>
    setTyped({ ...typed, [name]: (event.currentTarget as HTMLInputElement | HTMLSelectElement).value });
  const models = new Set([
    ...(snapshot.value?.models ?? []).map(({ name }) => name),
    ...(typed.model === '' ? [] : [typed.model]),
  ]);
  return (
    <form class="filters" role="search" aria-label="Filter jobs" onSubmit={(event) => event.preventDefault()}>
      <label>
        State
        <select value={typed.state} onChange={change('state')}>
          <option value="">any</option>
          {STATES.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </label>
      <label>
        Model
        <select value={typed.model} onChange={change('model')}>
          <option value="">any</option>
          {[...models].map((model) => (
            <option key={model}>{model}</option>
          ))}
        </select>
      </label>
      <label>
        Key
        <input type="search" value={typed.key} placeholder="id of a key" onInput={change('key')} />
      </label>
      <label>
        Id
        <input type="search" value={typed.id} placeholder="part of a job’s id" onInput={change('id')} />
      </label>
    </form>
  );
}

function List({ jobs }: { readonly jobs: readonly AdminJob[] }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Jobs">
      <table class="cards">
        <thead>
          <tr>
            <th scope="col">Job</th>
            <th scope="col">State</th>
            <th scope="col">Progress</th>
            <th scope="col" class="number">
              Texts
            </th>
            <th scope="col" class="number">
              Failed
            </th>
            <th scope="col" class="number">
              Rate
            </th>
            <th scope="col" class="number">
              Left
            </th>
            <th scope="col">Model, lane</th>
            <th scope="col">Key</th>
            <th scope="col">Created</th>
          </tr>
        </thead>
        <tbody>
          {jobs.map((job) => (
            <Row key={job.id} job={job} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ job }: { readonly job: AdminJob }) {
  return (
    <tr data-job={job.id} data-state={job.state}>
      <th scope="row" data-label="Job">
        <a class="id" href={linkTo('jobs', job.id)} title={job.id}>
          {shortId(job.id)}
        </a>
      </th>
      <td data-label="State">
        <State state={job.state} />
      </td>
      <td data-label="Progress">
        <ProgressBar job={job} />
      </td>
      <td class="number" data-label="Texts">
        {count(job.counts.texts)}
      </td>
      <td class={job.counts.failed > 0 ? 'number bad' : 'number'} data-label="Failed">
        {count(job.counts.failed)}
      </td>
      <td class="number" data-label="Rate">
        {job.rate === null ? '–' : `${short(job.rate.texts_per_second)} texts/s`}
      </td>
      <td class="number" data-label="Left">
        {duration(job.eta_seconds)}
      </td>
      <td data-label="Model, lane">
        {job.model} <small class="inline">{job.lane}</small>
      </td>
      <td data-label="Key">{job.key === null ? '–' : (job.key.name ?? job.key.id)}</td>
      <td data-label="Created">{moment(job.created_at)}</td>
    </tr>
  );
}
