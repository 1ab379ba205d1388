import { BootError } from '#contracts';
import { floatLinear } from '../layers/float-linear.js';
import type { Product } from '../layers/linear.js';
import type { GraphBuilder } from '../onnx/graph-builder.js';
import { transpose } from '../weights/matrix.js';
import { WeightsReader } from '../weights/weights-reader.js';

/** A linear layer that has a file of its own beside the checkpoint: `weight` `[outputs, hidden]` and `bias`. */
export interface OwnLinear {
  /** Absolute path. */
  readonly path: string;
  readonly outputs: number;
}

/** @throws BootError when the file cannot be read */
export async function readOwnLinear(path: string): Promise<OwnLinear> {
  const { bias } = await read(path);
  return { path, outputs: bias.length };
}

/** @param hidden `[rows, tokens, hidden]` */
export async function addOwnLinear(
  graph: GraphBuilder,
  name: string,
  hidden: string,
  { path }: OwnLinear,
): Promise<Product> {
  const { bias, data, inputs, outputs } = await read(path);
  const matrix = { data: transpose(data, outputs, inputs), inputs, outputs };
  return floatLinear.product(graph, name, hidden, 'activation', { matrix, bias });
}

async function read(path: string): Promise<{
  readonly data: Float32Array;
  readonly outputs: number;
  readonly inputs: number;
  readonly bias: Float32Array;
}> {
  const reader = await WeightsReader.open([path]);
  try {
    const { data, shape } = await reader.read('weight');
    const [outputs = 0, inputs = 0] = shape;
    const { data: bias } = await reader.read('bias');
    if (shape.length === 2 && bias.length === outputs) return { data, outputs, inputs, bias };
    throw new BootError(`"weight" is [${shape.join(', ')}], and "bias" has ${bias.length} numbers`);
  } catch (error) {
    if (error instanceof BootError) throw new BootError(`${path}: ${error.message}`, { cause: error });
    throw error;
  } finally {
    await reader.close();
  }
}
