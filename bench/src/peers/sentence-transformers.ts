import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExportedModel } from './exported-model.js';
import type { PythonPeers } from './installation.js';
import { PeerProcess } from './peer-process.js';
import type { Peer, RunningPeer } from './peer.js';
import { PYTHON_SOURCES } from './peers-folder.js';
import { pythonEnvironment } from './python-environment.js';

/** One configuration of `encode`. */
interface Configuration {
  readonly kind: string;
  readonly dtype: Peer['dtype'];
  /** Arguments of `encode.py`. */
  readonly backend: readonly ['torch'] | readonly ['onnx', file: string];
}

const CONFIGURATIONS: readonly Configuration[] = [
  { kind: 'sentence-transformers in process, PyTorch', dtype: 'fp32', backend: ['torch'] },
  { kind: 'sentence-transformers in process, ONNX Runtime', dtype: 'fp32', backend: ['onnx', 'onnx/model.onnx'] },
  {
    kind: 'sentence-transformers in process, ONNX Runtime, int8',
    dtype: 'int8',
    backend: ['onnx', 'onnx/model_quantized.onnx'],
  },
];
/** The default, and a common larger value. */
const BATCH_SIZES = [32, 128];

/** `encode` of sentence-transformers, in process: no service, no queue, no download of vectors. */
export function sentenceTransformersPeers(python: PythonPeers, model: ExportedModel, threads: number): Peer[] {
  return CONFIGURATIONS.flatMap(({ kind, dtype, backend: [backend, file] }) =>
    BATCH_SIZES.map((batchSize): Peer => ({
      name: `${kind}, batches of ${batchSize}`,
      kind,
      dtype,
      start: () => {
        const options = [backend, String(batchSize), String(threads), ...(file === undefined ? [] : [file])];
        return start(python, [model.sentenceTransformers, ...options], threads);
      },
    })),
  );
}

async function start(python: PythonPeers, encodeArgs: readonly string[], threads: number): Promise<RunningPeer> {
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-peer-'));
  const files = { texts: join(folder, 'texts.json'), vectors: join(folder, 'vectors.f32') };
  const child = new PeerProcess(join(python.bin, 'python'), [join(PYTHON_SOURCES, 'encode.py'), ...encodeArgs], {
    env: pythonEnvironment(threads),
  });
  if ((await child.line()) !== 'ready') throw new Error(child.lastWords());
  return {
    async embed(texts) {
      await writeFile(files.texts, JSON.stringify(texts));
      child.tell(JSON.stringify(files));
      const { seconds } = JSON.parse(await child.line()) as { seconds: number };
      const bytes = await readFile(files.vectors);
      return { seconds, vectors: new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4) };
    },
    async stop() {
      await child.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
