import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { startRedis } from '../../../test/support/redis.js';
import { PeerProcess } from './peer-process.js';
import type { Peer, PeerRun, RunningPeer } from './peer.js';

const WORKER = fileURLToPath(new URL('transformers-js-worker.js', import.meta.url));
const QUEUE = 'embeddings';

export interface TransformersJsOptions {
  /** What `import` takes. */
  readonly library: string;
  /** Folder with `model.onnx` and a tokenizer. */
  readonly model: string;
  readonly threads: number;
}

/** Data of a job. */
export interface EmbedJob {
  readonly texts: readonly string[];
}

/** Its pipeline cuts a text after the closing token was added, so that cut texts lack it. */
export const TRANSFORMERS_JS_CUT =
  'transformers.js cuts texts over the limit after their closing token was added: they lack it, and their vectors differ.';

/** transformers.js as most people put it behind BullMQ: a worker that runs the pipeline, a client that waits. */
export function transformersJsPeers(options: TransformersJsOptions): Peer[] {
  const peer = (what: string, textsPerJob: number, sorted = false): Peer => ({
    name: `transformers.js behind BullMQ, ${what}`,
    kind: `transformers.js behind BullMQ, ${what}`,
    dtype: 'fp32',
    start: () => start(options, textsPerJob, sorted),
  });
  return [
    peer('a job for each text', 1),
    peer('32 texts a job', 32),
    peer('32 texts a job, sorted by length beforehand', 32, true),
  ];
}

async function start(options: TransformersJsOptions, textsPerJob: number, sorted: boolean): Promise<RunningPeer> {
  const redis = await startRedis({ aof: true });
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue<EmbedJob, number[][]>(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  // Each job that is waited for listens.
  queue.setMaxListeners(0);
  await events.waitUntilReady();
  const { library, model, threads } = options;
  const worker = new PeerProcess(process.execPath, [WORKER, library, model, String(threads), String(redis.port)]);
  if ((await worker.line()) !== 'ready') throw new Error(worker.lastWords());
  return {
    embed: (texts) => embed(queue, events, texts, textsPerJob, sorted),
    async stop() {
      await worker.stop();
      await events.close();
      await queue.close();
      await redis.stop();
    },
  };
}

async function embed(
  queue: Queue<EmbedJob, number[][]>,
  events: QueueEvents,
  texts: readonly string[],
  textsPerJob: number,
  sorted: boolean,
): Promise<PeerRun> {
  const began = performance.now();
  const order = texts.map((_, index) => index);
  if (sorted) order.sort((a, b) => texts[b]!.length - texts[a]!.length);
  const batches: number[][] = [];
  for (let n = 0; n < order.length; n += textsPerJob) batches.push(order.slice(n, n + textsPerJob));
  const jobs = await queue.addBulk(
    batches.map((batch) => ({ name: 'embed', data: { texts: batch.map((index) => texts[index]!) } })),
  );
  const rows: number[][] = [];
  await Promise.all(
    jobs.map(async (job, n) => {
      const vectors = await job.waitUntilFinished(events);
      batches[n]!.forEach((index, row) => (rows[index] = vectors[row]!));
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return { seconds, vectors: Float32Array.from(rows.flat()) };
}
