import { join } from 'node:path';
import { freePort } from '../../../apps/cli/src/free-port.js';
import { until } from '../../../test/support/until.js';
import type { ExportedModel } from './exported-model.js';
import type { PythonPeers } from './installation.js';
import { PeerProcess } from './peer-process.js';
import type { Peer, PeerRun, RunningPeer } from './peer.js';
import { pythonEnvironment } from './python-environment.js';

const TEXTS_PER_REQUEST = 32;
/** Concurrent requests, so that Infinity has texts to sort by length. */
const CONCURRENT_REQUESTS = 16;
const START_MS = 120_000;
const MODEL = 'model';

interface Configuration {
  readonly kind: string;
  readonly dtype: Peer['dtype'];
  readonly folder: string;
  readonly flags: readonly string[];
}

// Infinity's own graph optimiser needs a version of optimum that no longer installs; ONNX Runtime's still runs.
const ONNX = ['--engine', 'optimum', '--pooling-method', 'mean', '--onnx-disable-optimize'];

/** Infinity's HTTP server, used as in production: many requests at once. */
export function infinityPeers(python: PythonPeers, model: ExportedModel, threads: number): Peer[] {
  const configurations: readonly Configuration[] = [
    {
      kind: 'Infinity over HTTP, PyTorch',
      dtype: 'fp32',
      folder: model.sentenceTransformers,
      flags: ['--engine', 'torch'],
    },
    {
      kind: 'Infinity over HTTP, ONNX Runtime',
      dtype: 'fp32',
      folder: model.onnx,
      flags: [...ONNX, '--onnx-do-not-prefer-quantized'],
    },
    { kind: 'Infinity over HTTP, ONNX Runtime, int8', dtype: 'int8', folder: model.onnx, flags: ONNX },
  ];
  return configurations.map((configuration) => ({
    name: configuration.kind,
    kind: configuration.kind,
    dtype: configuration.dtype,
    start: () => start(python, configuration, threads),
  }));
}

async function start(python: PythonPeers, { folder, flags }: Configuration, threads: number): Promise<RunningPeer> {
  const port = await freePort();
  // Infinity's ONNX loader compares whole paths with file names, so it finds a model only in the current folder.
  const where = ['--model-id', '.', '--served-model-name', MODEL];
  const listen = ['--host', '127.0.0.1', '--port', String(port), '--url-prefix', '/v1', '--log-level', 'error'];
  const how = ['--device', 'cpu', '--no-model-warmup', ...flags];
  const server = new PeerProcess(join(python.bin, 'infinity_emb'), ['v2', ...where, ...listen, ...how], {
    cwd: folder,
    env: pythonEnvironment(threads),
  });
  const url = `http://127.0.0.1:${port}/v1`;
  const ready = async () => {
    if (!server.alive) return 'ended' as const;
    return (await fetch(`${url}/models`)).ok && ('up' as const);
  };
  try {
    const state = await until('Infinity answers', ready, { patienceMs: START_MS });
    if (state === 'ended') throw new Error(server.lastWords());
  } catch (error) {
    await server.stop();
    throw error;
  }
  return { embed: (texts) => embed(url, texts), stop: () => server.stop() };
}

async function embed(url: string, texts: readonly string[]): Promise<PeerRun> {
  const began = performance.now();
  const rows: Float32Array[] = [];
  let next = 0;
  const client = async () => {
    while (next < texts.length) {
      const first = next;
      next += TEXTS_PER_REQUEST;
      const vectors = await ask(url, texts.slice(first, next));
      vectors.forEach((vector, row) => (rows[first + row] = vector));
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_REQUESTS }, client));
  const seconds = (performance.now() - began) / 1000;
  const dimensions = rows[0]?.length ?? 0;
  const vectors = new Float32Array(rows.length * dimensions);
  rows.forEach((row, index) => vectors.set(row, index * dimensions));
  return { seconds, vectors };
}

/** Requests vectors as base64, as OpenAI's clients do: it is cheaper for both sides than numbers. */
async function ask(url: string, input: readonly string[]): Promise<Float32Array[]> {
  const response = await fetch(`${url}/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: MODEL, input, encoding_format: 'base64' }),
  });
  if (response.status !== 200) throw new Error(`Infinity answered ${response.status}: ${await response.text()}`);
  const { data } = (await response.json()) as { data: { index: number; embedding: string }[] };
  const rows: Float32Array[] = [];
  for (const { index, embedding } of data) {
    const bytes = Buffer.from(embedding, 'base64');
    rows[index] = new Float32Array(new Uint8Array(bytes).buffer);
  }
  return rows;
}
