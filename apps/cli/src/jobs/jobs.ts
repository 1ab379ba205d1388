import type { EmbedmillClient } from '#client';
import type { JobObject, JobState } from '#contracts';
import { aligned } from '../aligned.js';
import { whole } from '../progress.js';
import type { Terminal } from '../terminal.js';

export interface JobSelection {
  readonly state?: JobState;
  readonly model?: string;
  /** Maximum number of jobs. */
  readonly limit: number;
  readonly json: boolean;
}

/** Lists jobs, newest first. */
export async function listJobs(client: EmbedmillClient, selection: JobSelection, terminal: Terminal): Promise<void> {
  const { json, limit, model, state } = selection;
  const jobs: JobObject[] = [];
  for await (const job of client.jobs.all({ state, model, pageJobs: Math.min(limit, 100) })) {
    jobs.push(job);
    if (jobs.length === limit) break;
  }

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

export async function showJob(client: EmbedmillClient, id: string, json: boolean, terminal: Terminal): Promise<void> {
  const job = await client.jobs.get(id);
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

export async function cancelJobs(client: EmbedmillClient, ids: readonly string[], terminal: Terminal): Promise<void> {
  for (const id of ids) {
    const { counts, state } = await client.jobs.cancel(id);
    const was = state === 'cancelled' ? 'cancelled' : `${state} already`;
    terminal.say(`${id} is ${was}; ${whole(counts.done)} of ${whole(counts.texts)} texts are done`);
  }
}

export async function retryJob(client: EmbedmillClient, id: string, terminal: Terminal): Promise<void> {
  const { retried, state } = await client.jobs.retry(id);
  terminal.say(`${id} is ${state}; ${whole(retried)} texts are tried again`);
}

/** `2026-01-02 03:04:05`, local time. */
function timeOf(epochSeconds: number): string {
  // The Swedish locale writes dates as in ISO 8601.
  return new Date(epochSeconds * 1000).toLocaleString('sv-SE');
}
