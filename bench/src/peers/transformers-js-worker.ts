import { basename, dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'bullmq';
import type { EmbedJob } from './transformers-js.js';

/** The part of transformers.js that is used here; it is not a dependency of the project. */
interface TransformersJs {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  pipeline(task: 'feature-extraction', model: string, options: object): Promise<Extractor>;
}
type Extractor = (
  texts: readonly string[],
  options: { readonly pooling: 'mean'; readonly normalize: boolean },
) => Promise<{ tolist(): number[][] }>;

const [library = '', model = '', dtype = 'fp32', threads = '1', redisPort = ''] = process.argv.slice(2);
const { env, pipeline } = (await import(pathToFileURL(library).href)) as TransformersJs;
env.allowRemoteModels = false;
env.localModelPath = dirname(model);
const extractor = await pipeline('feature-extraction', basename(model), {
  device: 'cpu',
  dtype,
  subfolder: '',
  session_options: { intraOpNumThreads: Number(threads) },
});

const worker = new Worker<EmbedJob, number[][]>(
  'embeddings',
  async (job) => (await extractor(job.data.texts, { pooling: 'mean', normalize: true })).tolist(),
  { connection: { host: '127.0.0.1', port: Number(redisPort) } },
);
await worker.waitUntilReady();
console.log('ready');
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
