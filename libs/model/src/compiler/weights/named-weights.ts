import { BootError } from '#contracts';
import { beside, concat, transpose, type Matrix } from './matrix.js';
import type { WeightsReader, Tensor } from './weights-reader.js';

/** Prefixes of all names when a library has saved the encoder as part of another model. */
const WRAPPERS = ['model.', '0.auto_model.'];

/** A linear layer, with or without a bias. */
export interface Projection {
  readonly matrix: Matrix;
  /** `[outputs]`; null when there is none. */
  readonly bias: Float32Array | null;
}

/** A linear layer: `input x matrix + bias`. */
export interface LinearWeights extends Projection {
  /** `[outputs]`. */
  readonly bias: Float32Array;
}

/** Scale and shift of a layer norm, `[hidden]` each. */
export interface NormWeights {
  readonly gamma: Float32Array;
  readonly beta: Float32Array;
}

/** An encoder's weights, by their names in transformers, in the layout of ONNX graphs. */
export class NamedWeights {
  readonly #reader: WeightsReader;
  readonly #prefix: string;

  /**
   * @param prefix of all names if the encoder was saved with a head, such as `bert.`
   * @param anchor a tensor that every checkpoint of this architecture has
   * @throws BootError when it is missing with every known prefix
   */
  constructor(reader: WeightsReader, prefix: string, anchor: string) {
    const found = ['', prefix, ...WRAPPERS].find((one) => reader.has(one + anchor));
    if (found === undefined) throw new BootError(`the weights have no "${anchor}"`);
    this.#reader = reader;
    this.#prefix = found;
  }

  has(name: string): boolean {
    return this.#reader.has(this.#prefix + name);
  }

  tensor(name: string): Promise<Tensor> {
    return this.#reader.read(this.#prefix + name);
  }

  async vector(name: string): Promise<Float32Array> {
    return (await this.tensor(name)).data;
  }

  async linear(name: string): Promise<LinearWeights> {
    return { matrix: await this.#matrix(name), bias: await this.vector(`${name}.bias`) };
  }

  /** A linear layer of an architecture in which not every one has a bias. */
  async projection(name: string, biased: boolean): Promise<Projection> {
    return { matrix: await this.#matrix(name), bias: biased ? await this.vector(`${name}.bias`) : null };
  }

  /** The returned matrix is `[inputs, outputs]`; checkpoints have `[outputs, inputs]`. */
  async #matrix(name: string): Promise<Matrix> {
    const { data, shape } = await this.tensor(`${name}.weight`);
    const [outputs = 0, inputs = 0] = shape;
    return { data: transpose(data, outputs, inputs), inputs, outputs };
  }

  /** Matrices of the same size that are stored one below the other, as they are stored. */
  async stacked(name: string, count: number): Promise<Matrix[]> {
    const { data, shape } = await this.tensor(name);
    const [rows, columns] = [shape[0]! / count, shape[1]!];
    return Array.from({ length: count }, (_, n) => ({
      data: data.subarray(n * rows * columns, (n + 1) * rows * columns),
      inputs: rows,
      outputs: columns,
    }));
  }

  /** Old checkpoints call scale and shift gamma and beta. */
  async norm(name: string): Promise<NormWeights> {
    const old = this.has(`${name}.gamma`);
    return {
      gamma: await this.vector(`${name}.${old ? 'gamma' : 'weight'}`),
      beta: await this.vector(`${name}.${old ? 'beta' : 'bias'}`),
    };
  }
}

/** Projections of the same input as one. Either all have a bias or none has. */
export function sideBySide(projections: readonly Projection[]): Projection {
  const inputs = projections[0]!.matrix.inputs;
  const biases = projections.flatMap(({ bias }) => (bias === null ? [] : [bias]));
  const data = beside(
    projections.map(({ matrix }) => matrix.data),
    inputs,
  );
  return {
    matrix: { data, inputs, outputs: data.length / inputs },
    bias: biases.length === 0 ? null : concat(biases),
  };
}
