import { BootError, isFinal, type JobObject } from '#contracts';
import { clientOf, type Connection } from '../connection.js';
import { whole } from '../progress.js';
import type { Terminal } from '../terminal.js';
import { untilSignal } from '../until-signal.js';
import { aligned } from '../aligned.js';
import { type BulkRun, runBulk } from './bulk.js';
import { percentile } from './percentile.js';
import { QueryClient } from './query-client.js';
import { findTarget } from './target.js';
import { UnseenTexts } from './unseen-texts.js';

export interface BenchOptions {
  readonly connection: Connection;
  /** Default: the first served model. */
  readonly model: string | undefined;
  /** Number of texts in the bulk job. */
  readonly texts: number;
  /** Number of queries for each number of clients. */
  readonly queries: number;
}

const CLIENTS = [1, 8, 32];
const WARM_UP_QUERIES = 20;

/** Latencies with one number of clients; `ms` has one value for each query. */
interface QueryRun {
  readonly clients: number;
  readonly ms: readonly number[];
  readonly seconds: number;
}

/**
 * Measures a running deployment through its REST API: a bulk job, the same job again from the cache, and single
 * queries. A signal cancels the running job and requests.
 * @returns true when all measurements finished; false when a signal stopped them
 * @throws CommandError when no worker for the model is ready, BootError when a measurement fails
 */
export async function bench(options: BenchOptions, terminal: Terminal): Promise<boolean> {
  const target = await findTarget(options.connection, options.model);
  const { id, dtype, dimensions, ready_workers: workers } = target.model;
  terminal.say(`${target.url}: ${id}, ${dtype}, ${dimensions} dimensions, ready workers: ${workers}`);
  let latest: JobObject | null = null;
  const watch = (job: JobObject) => void (latest = job);

  const work = async (signal: AbortSignal): Promise<true> => {
    const texts = await UnseenTexts.read(options.texts);
    const client = clientOf(target, { signal });
    const bulk = texts.take(options.texts);
    terminal.say(`\n${whole(bulk.length)} texts as one job`);
    const first = await runBulk(client, id, bulk, terminal, watch);
    terminal.say('the same again');
    const second = await runBulk(client, id, bulk, terminal, watch);

    terminal.say(`single queries, ${whole(options.queries)} for each number of clients`);
    const queries = new QueryClient(target, signal);
    const runs: QueryRun[] = [];
    try {
      await queries.askAll(texts.take(WARM_UP_QUERIES), 1);
      for (const clients of CLIENTS) {
        const asked = texts.take(options.queries);
        const began = performance.now();
        const ms = await queries.askAll(asked, clients);
        runs.push({ clients, ms, seconds: (performance.now() - began) / 1000 });
      }
    } finally {
      queries.close();
    }
    for (const line of report(bulk.length, [first, second], runs)) terminal.say(line);
    return true;
  };

  try {
    const finished = await untilSignal(
      work,
      async () => {
        if (latest === null || isFinal(latest.state)) return;
        await clientOf(target)
          .jobs.cancel(latest.id)
          .catch(() => {});
      },
      () => process.exit(130),
    );
    return finished === true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BootError(`the measurement at ${target.url} failed: ${reason}`, { cause: error });
  }
}

function report(texts: number, jobs: readonly BulkRun[], queries: readonly QueryRun[]): string[] {
  const bulkRow = ({ job, seconds }: BulkRun, n: number) => [
    n === 0 ? 'first pass' : 'again, cached',
    whole(texts / seconds),
    whole(job.tokens / seconds),
    seconds.toFixed(2),
    whole(job.counts.cached),
  ];
  const queryRow = ({ clients, ms, seconds }: QueryRun) => [
    clients === 1 ? '1 client' : `${clients} clients`,
    ...[0.5, 0.95, 0.99].map((share) => percentile(ms, share).toFixed(1)),
    whole(ms.length / seconds),
  ];
  return [
    '',
    ...aligned([['bulk job', 'texts/s', 'tokens/s', 'seconds', 'from the cache'], ...jobs.map(bulkRow)]),
    '',
    ...aligned([['single queries, ms', 'p50', 'p95', 'p99', 'queries/s'], ...queries.map(queryRow)]),
  ];
}
