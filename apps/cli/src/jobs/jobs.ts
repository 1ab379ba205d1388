import { type JobObject, jobListSchema, jobObjectSchema } from '#contracts';
import { aligned } from '../aligned.js';
import { whole } from '../progress.js';
import type { Rest } from '../rest.js';
import type { Terminal } from '../terminal.js';

/** Jobs of one answer. */
const PAGE = 100;

export interface JobSelection {
  readonly state?: string;
  readonly model?: string;
  /** Most jobs. */
  readonly limit: number;
  readonly json: boolean;
}

/** Newest first. */
export async function listJobs(rest: Rest, selection: JobSelection, terminal: Terminal): Promise<void> {
  const { json, limit, model, state } = selection;
  const jobs: JobObject[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE, limit - jobs.length)) });
    for (const [name, value] of Object.entries({ state, model, cursor })) if (value) query.set(name, value);
    const page = await rest.json(jobListSchema, `/v1/jobs?${query}`);
    jobs.push(...page.data);
    cursor = page.next_cursor;
  } while (cursor !== null && jobs.length < limit);

  if (json) return terminal.say(JSON.stringify(jobs, null, 2));
  if (jobs.length === 0) return terminal.say('There are no such jobs.');
  const rows = jobs.map(({ counts, created_at: created, id, model: name, state }) => [
    id,
    state,
    name,
    timeOf(created),
    ...[counts.texts, counts.done, counts.cached, counts.failed].map(whole),
  ]);
  const head = ['job', 'state', 'model', 'created', 'texts', 'done', 'cached', 'failed'];
  for (const line of aligned([head, ...rows], 4)) terminal.say(line);
}

export async function showJob(rest: Rest, id: string, json: boolean, terminal: Terminal): Promise<void> {
  const job = await rest.json(jobObjectSchema, pathOf(id));
  if (json) return terminal.say(JSON.stringify(job, null, 2));
  const { counts, error, eta_seconds: eta, rate } = job;
  const times = [
    ['created', job.created_at],
    ['started', job.started_at],
    ['finished', job.finished_at],
    ['kept until', job.expires_at],
  ] as const;
  const rows = [
    ['job', job.id],
    ['state', error === null ? job.state : `${job.state}: ${error.message}`],
    ['model', `${job.model}, ${job.dimensions} dimensions${job.normalize ? ', normalised' : ''}`],
    ['priority', job.priority],
    ['texts', `${whole(counts.texts)}, ${Math.floor(100 * job.progress)} % done`],
    ['done', `${whole(counts.done)}, of these ${whole(counts.cached)} cached, ${whole(counts.truncated)} cut`],
    ['failed', whole(counts.failed)],
    ['tokens', whole(job.tokens)],
    ...(rate === null ? [] : [['rate', `${whole(rate.texts_per_second)} texts/s`]]),
    ...(eta === null ? [] : [['left', `${Math.ceil(eta)} s`]]),
    ...times.flatMap(([name, at]) => (at === null ? [] : [[name, timeOf(at)]])),
  ];
  for (const line of aligned(rows, 2)) terminal.say(line);
}

export async function cancelJobs(rest: Rest, ids: readonly string[], terminal: Terminal): Promise<void> {
  for (const id of ids) {
    const { counts, state } = await rest.json(jobObjectSchema, pathOf(id), { method: 'DELETE' });
    const was = state === 'cancelled' ? 'cancelled' : `${state} already`;
    terminal.say(`${id} is ${was}; ${whole(counts.done)} of ${whole(counts.texts)} texts are done`);
  }
}

export async function retryJob(rest: Rest, id: string, terminal: Terminal): Promise<void> {
  const { counts, state } = await rest.json(jobObjectSchema, `${pathOf(id)}/retry`, { method: 'POST' });
  terminal.say(`${id} is ${state}; ${whole(counts.pending)} texts are tried again`);
}

function pathOf(id: string): string {
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

/** `2026-01-02 03:04:05`, local time. */
function timeOf(epochSeconds: number): string {
  // Sweden writes dates as ISO 8601 does.
  return new Date(epochSeconds * 1000).toLocaleString('sv-SE');
}
