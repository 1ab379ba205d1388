import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeSafetensors, type NamedTensor, random } from './random-model.js';
import { activate } from './reference-forward.js';

export interface DenseOptions {
  readonly inputs: number;
  readonly outputs: number;
  /** Class in PyTorch; default: none is written into the file. */
  readonly activation?: string;
  /** Default true. */
  readonly bias?: boolean;
  readonly residual?: boolean;
  /** Other seeds give other weights. */
  readonly seed?: number;
}

/**
 * Adds a Dense module after the last module of a random model, which must not be one that normalises.
 * @returns what it does to a vector, in plain loops
 */
export async function addDenseModule(
  folder: string,
  { inputs, outputs, activation, bias = true, residual = false, seed = 3 }: DenseOptions,
): Promise<(vector: readonly number[]) => number[]> {
  const path = join(folder, 'modules.json');
  const modules = JSON.parse(await readFile(path, 'utf8')) as { readonly path: string }[];
  const name = `${modules.length}_Dense`;
  const type = 'sentence_transformers.models.Dense';
  await writeFile(path, JSON.stringify([...modules, { idx: modules.length, name, path: name, type }]));
  await mkdir(join(folder, name), { recursive: true });
  const config = { in_features: inputs, out_features: outputs, bias, activation_function: activation };
  const since57 = residual ? { module_input_name: 'sentence_embedding', use_residual: true } : {};
  await writeFile(join(folder, name, 'config.json'), JSON.stringify({ ...config, ...since57 }));

  const next = random(seed);
  const numbers = (length: number) => Float32Array.from({ length }, next);
  const weight = numbers(outputs * inputs);
  const shift = numbers(outputs);
  const skip = numbers(outputs * inputs);
  const tensors = new Map<string, NamedTensor>([['linear.weight', { shape: [outputs, inputs], data: weight }]]);
  if (bias) tensors.set('linear.bias', { shape: [outputs], data: shift });
  if (residual && inputs !== outputs) tensors.set('residual.weight', { shape: [outputs, inputs], data: skip });
  await writeFile(join(folder, name, 'model.safetensors'), encodeSafetensors(tensors));

  const product = (matrix: Float32Array, vector: readonly number[], row: number) =>
    vector.reduce((sum, x, column) => sum + x * matrix[row * inputs + column]!, 0);
  return (vector) =>
    Array.from({ length: outputs }, (_, row) => {
      const sum = product(weight, vector, row) + (bias ? shift[row]! : 0);
      const own = inputs === outputs ? vector[row]! : product(skip, vector, row);
      return activated(sum, activation) + (residual ? own : 0);
    });
}

function activated(x: number, activation = 'torch.nn.modules.activation.Tanh'): number {
  if (activation.endsWith('.Identity')) return x;
  if (activation.endsWith('.Tanh')) return Math.tanh(x);
  return activate(x, activation.endsWith('.GELU') ? 'gelu' : 'relu');
}
