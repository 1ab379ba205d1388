import { BootError } from '#contracts';
import { transpose, type Matrix } from './matrix.js';
import type { SafetensorsReader, Tensor } from './safetensors.js';

/** Where checkpoints keep the encoder, as saved with or without a head. */
const PREFIXES = ['', 'bert.', 'roberta.', 'model.', '0.auto_model.'];

/** The weights of a BERT-like encoder by the names transformers gives them, in the layout graphs want. */
export class EncoderWeights {
  readonly #reader: SafetensorsReader;
  readonly #prefix: string;

  /** @throws BootError when they are not there under any known prefix */
  constructor(reader: SafetensorsReader) {
    const prefix = PREFIXES.find((one) => reader.has(`${one}embeddings.word_embeddings.weight`));
    if (prefix === undefined) throw new BootError('the weights have no "embeddings.word_embeddings.weight"');
    this.#reader = reader;
    this.#prefix = prefix;
  }

  tensor(name: string): Promise<Tensor> {
    return this.#reader.read(this.#prefix + name);
  }

  async vector(name: string): Promise<Float32Array> {
    return (await this.tensor(name)).data;
  }

  /** A linear layer's matrix as `[inputs, outputs]`; checkpoints have `[outputs, inputs]`. */
  async matrix(name: string): Promise<Matrix> {
    const { data, shape } = await this.tensor(`${name}.weight`);
    const [outputs = 0, inputs = 0] = shape;
    return { data: transpose(data, outputs, inputs), inputs, outputs };
  }

  bias(name: string): Promise<Float32Array> {
    return this.vector(`${name}.bias`);
  }

  /** A layer norm's scale and shift; old checkpoints call them gamma and beta. */
  async layerNorm(name: string): Promise<{ gamma: Float32Array; beta: Float32Array }> {
    const old = this.#reader.has(`${this.#prefix}${name}.gamma`);
    return {
      gamma: await this.vector(`${name}.${old ? 'gamma' : 'weight'}`),
      beta: await this.vector(`${name}.${old ? 'beta' : 'bias'}`),
    };
  }

  has(name: string): boolean {
    return this.#reader.has(this.#prefix + name);
  }
}
