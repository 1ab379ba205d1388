import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';
import { readEnvironment } from '#config';
import { BootError } from '#contracts';
import { clientOf } from '../connection.js';
import { startDeployment } from '../deployment.js';
import { embedAsJob } from '../embed-as-job.js';
import { freePort } from '../free-port.js';
import { readable } from '../log-line.js';
import { whole } from '../progress.js';
import { Supervisor } from '../supervisor.js';
import type { Terminal } from '../terminal.js';
import { untilSignal } from '../until-signal.js';
import { forgetKeys } from './forget-keys.js';
import { nearest } from './nearest.js';
import { type Gloss, readGlosses } from './wordnet.js';

export interface DemoOptions {
  /** Number of glosses to embed. */
  readonly texts: number;
  /** Show the output of the processes. */
  readonly verbose: boolean;
}

const QUERIES = [
  'an instrument that measures how hot something is',
  'to walk slowly without any particular aim',
  'a person who is afraid of everything',
  'food made of milk',
];
const NEIGHBOURS = 3;
/** Number of the processes' last output lines to show after a failure. */
const TAIL_LINES = 40;

/**
 * Starts a whole deployment on free ports and in a temporary folder, embeds a dictionary, searches its vectors, embeds
 * it again from the cache, and stops everything.
 * @returns true when the demo finished; false when a signal stopped it
 * @throws BootError
 */
export async function demo(options: DemoOptions, terminal: Terminal): Promise<boolean> {
  const foreignRedis = (process.env['REDIS_URL'] ?? '') !== '';
  mkdirSync('.embedmill', { recursive: true });
  const folder = mkdtempSync(resolve('.embedmill', 'demo-'));
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    EMBED_HOST: '127.0.0.1',
    EMBED_METRICS_PORT: '0',
    // Work in progress may be dropped when the demo is interrupted.
    EMBED_DRAIN_MS: '500',
    EMBED_MODEL_DIR: join(folder, 'models'),
    // On a shared Redis: a separate prefix, so that the demo's keys can be removed afterwards.
    EMBED_KEY_PREFIX: foreignRedis ? `em-demo-${randomUUID().slice(0, 8)}` : 'em',
  };
  const settings = readEnvironment(environment);
  const model = settings.EMBED_MODELS[0]?.name ?? '';

  const tail: string[] = [];
  const supervisor = new Supervisor({
    print: (name, line) => {
      if (options.verbose) terminal.from(name, readable(line));
      else if (tail.push(`  ${name}: ${readable(line)}`) > TAIL_LINES) tail.shift();
    },
  });

  const work = async (signal: AbortSignal): Promise<true> => {
    const glosses = await readGlosses(options.texts);
    const texts = glosses.map((gloss) => gloss.meaning);
    terminal.say(`${whole(texts.length)} meanings from WordNet, for example "${texts[0]}"`);

    terminal.say(`starting Redis, API and worker; compiling ${model} for ${settings.EMBED_DEVICE} …`);
    const began = performance.now();
    const redis = foreignRedis
      ? null
      : { queuePort: await freePort(), cachePort: await freePort(), folder, cacheMemory: '256mb' };
    const apiPort = await freePort();
    const { apiUrl } = await startDeployment(supervisor, { environment, settings, apiPort, workers: 1, redis });
    terminal.say(`ready in ${seconds(performance.now() - began)}: ${apiUrl}`);

    const client = clientOf({ url: apiUrl, key: undefined }, { signal });
    const embedAll = async () => {
      const began = performance.now();
      const job = await embedAsJob(client, model, texts, terminal);
      return { job, ms: performance.now() - began };
    };
    terminal.say('\nfirst run: POST /v1/jobs');
    const first = await embedAll();
    const vectors = await client.jobs.results.vectors(first.job.id);

    terminal.say('\nsearch: nearest meanings to a query, with their cosine');
    const queries = await client.embeddings.create({ model, input: QUERIES, input_type: 'query' });
    for (const [index, query] of queries.vectors.entries()) {
      terminal.say(`  ${QUERIES[index]}`);
      for (const line of answer(vectors, query, glosses)) terminal.say(line);
    }

    terminal.say('\nsecond run: the same texts again');
    const second = await embedAll();
    if (second.job.counts.cached !== texts.length)
      throw new Error(`only ${second.job.counts.cached} texts came from the cache`);
    const again = await client.jobs.results.vectors(second.job.id);
    if (Buffer.compare(bytesOf(vectors), bytesOf(again)) !== 0) throw new Error('the cache gave other vectors');

    terminal.say();
    terminal.say(
      `first run   ${seconds(first.ms).padStart(8)}   ${whole(first.job.tokens)} tokens, ${whole((1000 * texts.length) / first.ms)} texts/s`,
    );
    terminal.say(
      `second run  ${seconds(second.ms).padStart(8)}   the same vectors from the cache, ${whole(first.ms / second.ms)} times as fast`,
    );
    return true;
  };

  try {
    const finished = await untilSignal(
      work,
      () => supervisor.stop(),
      () => supervisor.kill(),
    );
    return finished === true;
  } catch (error) {
    for (const line of tail) terminal.say(line);
    throw error instanceof BootError ? error : new BootError(`the demo failed: ${String(error)}`, { cause: error });
  } finally {
    if (foreignRedis) await forgetKeys(settings, environment['EMBED_KEY_PREFIX'] ?? '');
    rmSync(folder, { recursive: true, force: true });
  }
}

function answer(vectors: Float32Array, query: Float32Array, glosses: readonly Gloss[]): string[] {
  return nearest(vectors, query, NEIGHBOURS).map(({ index, score }) => {
    const gloss = glosses[index];
    return `    ${score.toFixed(3)}  ${gloss?.words.join(', ')}: ${gloss?.meaning}`;
  });
}

function bytesOf(vectors: Float32Array): Uint8Array {
  return new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength);
}

function seconds(ms: number): string {
  return ms < 10_000 ? `${(ms / 1000).toFixed(2)} s` : `${(ms / 1000).toFixed(1)} s`;
}
