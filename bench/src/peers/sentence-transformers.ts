import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ExportedModel } from './exported-model.js';
import type { PythonPeers } from './installation.js';
import { PeerProcess } from './peer-process.js';
import type { Peer, RunningPeer } from './peer.js';
import { PYTHON_SOURCES } from './peers-folder.js';
import { pythonEnvironment } from './python-environment.js';

type Backend = 'torch' | 'onnx';
/** The default, and what people raise it to. */
const BATCH_SIZES = [32, 128];

/** `encode` of sentence-transformers in process: no service, no queue, nothing read back. */
export function sentenceTransformersPeers(python: PythonPeers, model: ExportedModel, threads: number): Peer[] {
  const backends: readonly Backend[] = ['torch', 'onnx'];
  return backends.flatMap((backend) =>
    BATCH_SIZES.map((batchSize): Peer => {
      const kind = `sentence-transformers in process, ${backend === 'torch' ? 'PyTorch' : 'ONNX Runtime'}`;
      return {
        name: `${kind}, batches of ${batchSize}`,
        kind,
        dtype: 'fp32',
        start: () => start(python, model.sentenceTransformers, { backend, batchSize, threads }),
      };
    }),
  );
}

async function start(
  python: PythonPeers,
  model: string,
  options: { readonly backend: Backend; readonly batchSize: number; readonly threads: number },
): Promise<RunningPeer> {
  const { backend, batchSize, threads } = options;
  const folder = await mkdtemp(join(tmpdir(), 'embedmill-peer-'));
  const files = { texts: join(folder, 'texts.json'), vectors: join(folder, 'vectors.f32') };
  const args = [join(PYTHON_SOURCES, 'encode.py'), model, backend, String(batchSize), String(threads)];
  const child = new PeerProcess(join(python.bin, 'python'), args, { env: pythonEnvironment(threads) });
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
