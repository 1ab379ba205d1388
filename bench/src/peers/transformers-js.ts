import { fileURLToPath } from 'node:url';
import { Queue, QueueEvents } from 'bullmq';
import { startRedis } from '../../../test/support/redis.js';
import { PeerProcess } from './peer-process.js';
import type { Peer, PeerRun, RunningPeer } from './peer.js';

const WORKER = fileURLToPath(new URL('transformers-js-worker.js', import.meta.url));
const QUEUE = 'embeddings';
/** Maximum time of a job, ms: if the worker has died, its jobs never finish. */
const PATIENCE_MS = 600_000;

export interface TransformersJsOptions {
  /** File to import. */
  readonly library: string;
  /** Folder with `model.onnx` and a tokenizer. */
  readonly model: string;
  /** Whether the folder also has `model_quantized.onnx`. */
  readonly quantized: boolean;
  readonly threads: number;
}

/** Data of a job. */
export interface EmbedJob {
  readonly texts: readonly string[];
}

/** Remark for the report: how truncated texts differ. */
export const TRANSFORMERS_JS_CUT =
  'transformers.js cuts texts over the limit after their closing token was added: they lack it, and their vectors differ.';

/** transformers.js in the common setup with BullMQ: a worker that runs the pipeline, and a client that waits. */
export function transformersJsPeers(options: TransformersJsOptions): Peer[] {
  const peer = (what: string, way: Way): Peer => ({
    name: `transformers.js behind BullMQ, ${what}`,
    kind: `transformers.js behind BullMQ, ${what}`,
    dtype: way.dtype,
    start: () => start(options, way),
  });
  const sorted = '32 texts a job, sorted by length beforehand';
  const peers = [
    peer('a job for each text', { textsPerJob: 1, sorted: false, dtype: 'fp32' }),
    peer('32 texts a job', { textsPerJob: 32, sorted: false, dtype: 'fp32' }),
    peer(sorted, { textsPerJob: 32, sorted: true, dtype: 'fp32' }),
  ];
  if (options.quantized) peers.push(peer(`${sorted}, int8`, { textsPerJob: 32, sorted: true, dtype: 'int8' }));
  return peers;
}

/** How texts are split into jobs, and the dtype that the worker computes with. */
interface Way {
  readonly textsPerJob: number;
  /** Whether texts are sorted by length before they are split into jobs. */
  readonly sorted: boolean;
  readonly dtype: Peer['dtype'];
}

async function start({ library, model, threads }: TransformersJsOptions, way: Way): Promise<RunningPeer> {
  const redis = await startRedis({ aof: true });
  const connection = { host: '127.0.0.1', port: redis.port };
  const queue = new Queue<EmbedJob, number[][]>(QUEUE, { connection });
  const events = new QueueEvents(QUEUE, { connection });
  // Every job that is waited for adds a listener.
  queue.setMaxListeners(0);
  const dtype = way.dtype === 'int8' ? 'q8' : 'fp32';
  const worker = new PeerProcess(process.execPath, [
    WORKER,
    library,
    model,
    dtype,
    String(threads),
    String(redis.port),
  ]);
  const stop = async () => {
    await worker.stop();
    await events.close();
    await queue.close();
    await redis.stop();
  };
  try {
    await events.waitUntilReady();
    if ((await worker.line()) !== 'ready') throw new Error(worker.lastWords());
  } catch (error) {
    await stop();
    throw error;
  }
  return { embed: (texts) => embed(queue, events, texts, way), stop };
}

async function embed(
  queue: Queue<EmbedJob, number[][]>,
  events: QueueEvents,
  texts: readonly string[],
  { textsPerJob, sorted }: Way,
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
      const vectors = await job.waitUntilFinished(events, PATIENCE_MS);
      batches[n]!.forEach((index, row) => (rows[index] = vectors[row]!));
    }),
  );
  const seconds = (performance.now() - began) / 1000;
  return { seconds, vectors: Float32Array.from(rows.flat()) };
}
