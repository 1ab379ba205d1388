import { useEffect, useRef, useState } from 'preact/hooks';
import type { AdminJob, AdminJobList, JobState } from '#contracts';
import { count, duration, moment, short, shortId } from '../figures/format.js';
import { Loaded } from '../parts/loaded.js';
import { Empty } from '../parts/notice.js';
import { State } from '../parts/state.js';
import { type Column, Table } from '../parts/table.js';
import { linkTo } from '../router.js';
import { snapshot } from '../server/live.js';
import { useResource } from '../server/use-resource.js';
import { ProgressBar } from './progress-bar.js';

const STATES: readonly JobState[] = ['receiving', 'queued', 'running', 'completed', 'failed', 'cancelled'];
const FILTERS = ['state', 'model', 'key', 'id'] as const;
type Filter = (typeof FILTERS)[number];
/** Time after the last keystroke until the list is requested, ms. */
const TYPING_MS = 300;

const COLUMNS: readonly Column<AdminJob>[] = [
  {
    title: 'Job',
    cell: ({ id }) => (
      <a class="id" href={linkTo('jobs', id)} title={id}>
        {shortId(id)}
      </a>
    ),
  },
  { title: 'State', cell: ({ state }) => <State state={state} /> },
  { title: 'Progress', cell: (job) => <ProgressBar job={job} /> },
  { title: 'Texts', cell: ({ counts }) => count(counts.texts), number: true },
  {
    title: 'Failed',
    cell: ({ counts }) => count(counts.failed),
    number: true,
    alarming: ({ counts }) => counts.failed > 0,
  },
  {
    title: 'Rate',
    cell: ({ rate }) => (rate === null ? '–' : `${short(rate.texts_per_second)} texts/s`),
    number: true,
  },
  { title: 'Left', cell: ({ eta_seconds: eta }) => duration(eta), number: true },
  {
    title: 'Model, queue',
    cell: ({ model, lane }) => (
      <>
        {model} <small class="inline">{lane}</small>
      </>
    ),
  },
  { title: 'Key', cell: ({ key }) => (key === null ? '–' : (key.name ?? key.id)) },
  { title: 'Created', cell: ({ created_at: created }) => moment(created) },
];

/** Jobs, newest first. The filter is part of the URL, so that a view can be linked to. */
export function Jobs({ query }: { readonly query: URLSearchParams }) {
  const filter = Object.fromEntries(FILTERS.map((name) => [name, query.get(name) ?? ''])) as Record<Filter, string>;
  const cursor = query.get('cursor') ?? '';
  const asked = new URLSearchParams(Object.entries({ ...filter, cursor }).filter(([, value]) => value !== ''));
  const jobs = useResource<AdminJobList>(`/admin/v1/jobs?${asked}`);
  const filtered = FILTERS.some((name) => filter[name] !== '');
  return (
    <>
      <Filters filter={filter} />
      <Loaded resource={jobs} lines={8}>
        {({ data, next_cursor: next }) => (
          <>
            <Table
              caption="Jobs"
              columns={COLUMNS}
              rows={data}
              id={({ id }) => id}
              data={({ id, state }) => ({ 'data-job': id, 'data-state': state })}
              empty={<NoJobs filtered={filtered} />}
            />
            <p class="pages">
              {cursor !== '' && <a href={linkTo('jobs', undefined, filter)}>Newest</a>}
              {next !== null && <a href={linkTo('jobs', undefined, { ...filter, cursor: next })}>Older</a>}
            </p>
          </>
        )}
      </Loaded>
    </>
  );
}

function NoJobs({ filtered }: { readonly filtered: boolean }) {
  return (
    <Empty title={filtered ? 'No job matches' : 'No jobs yet'}>
      {filtered ? (
        <p>
          Jobs are deleted some time after their last change. <a href={linkTo('jobs')}>Show all</a>
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
  );
}

function Filters({ filter }: { readonly filter: Record<Filter, string> }) {
  const [typed, setTyped] = useState(filter);
  const wanted = linkTo('jobs', undefined, typed);
  const shown = linkTo('jobs', undefined, filter);
  /** The URL that typing led to; any other URL came from a link. */
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
      // Replace the entry in the browser's history: one entry for each letter would be in the way.
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
