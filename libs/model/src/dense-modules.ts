import { BootError } from '#contracts';
import { accept, readClosed, readJson } from './config/closed-file.js';
import type { SentenceModule } from './config/modules.js';
import { dense as denseConfig, denseActivation } from './config/sentence-transformers.js';
import type { DenseFiles, DenseModule, ModelFiles } from './types.js';

/** The Dense modules among a model's modules, in order. @throws BootError, one line */
export async function densesOf(
  modules: readonly SentenceModule[],
  { dense, modules: path }: ModelFiles,
  warn: (warning: string) => void,
): Promise<DenseModule[]> {
  const read: DenseModule[] = [];
  for (const { path: folder } of modules.filter(({ kind }) => kind === 'Dense')) {
    const files = dense.find((one) => one.folder === folder);
    if (files === undefined) throw new BootError(`${path}: path is "${folder}", but there is no ${folder}/config.json`);
    read.push(await readDense(files, warn));
  }
  return read;
}

async function readDense(
  { folder, config, weights }: DenseFiles,
  warn: (warning: string) => void,
): Promise<DenseModule> {
  const value = accept(readClosed(await readJson(config), denseConfig), warn);
  if (weights === null) throw new BootError(`${config}: there is no model.safetensors or pytorch_model.bin beside it`);
  return {
    folder,
    config,
    weights,
    inputs: value.in_features,
    outputs: value.out_features,
    bias: value.bias,
    activation: denseActivation(value.activation_function),
    residual: value.use_residual,
  };
}

/** Floats in the vector after all modules. @throws BootError when a module does not fit the one before it */
export function dimensionsOf(source: string, pooled: number, modules: readonly DenseModule[]): number {
  let dimensions = pooled;
  for (const { folder, inputs, outputs } of modules) {
    if (inputs !== dimensions) {
      throw new BootError(`${source}: ${folder} takes vectors of ${inputs} floats, but gets ${dimensions}`);
    }
    dimensions = outputs;
  }
  return dimensions;
}
