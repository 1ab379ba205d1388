import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Pooling } from '#contracts';
import { encodeSafetensors, random, type NamedTensor } from './random-model.js';

/** Random weights under the names of one architecture; a spec adds them, and computes its own forward pass with them. */
export class TinyCheckpoint {
  readonly tensors = new Map<string, NamedTensor>();
  readonly #next: () => number;

  constructor(seed = 1) {
    this.#next = random(seed);
  }

  /** Numbers within `centre - spread..centre + spread`. */
  tensor(name: string, shape: readonly number[], spread: number, centre = 0): void {
    const length = shape.reduce((product, size) => product * size, 1);
    this.tensors.set(name, { shape, data: Float32Array.from({ length }, () => centre + spread * this.#next()) });
  }

  linear(name: string, outputs: number, inputs: number, biased: boolean): void {
    this.tensor(`${name}.weight`, [outputs, inputs], 1.5 / Math.sqrt(inputs));
    if (biased) this.tensor(`${name}.bias`, [outputs], 0.2);
  }

  /** @param centre of the scales: 0 where the checkpoint has their difference from 1 */
  norm(name: string, size: number, { shift, centre = 1 }: { shift: boolean; centre?: number }): void {
    this.tensor(`${name}.weight`, [size], 0.2, centre);
    if (shift) this.tensor(`${name}.bias`, [size], 0.1);
  }

  /** Writes the files that a model's folder must have. */
  async write(folder: string, config: object, pooling: Pooling = 'mean'): Promise<void> {
    await mkdir(join(folder, '1_Pooling'), { recursive: true });
    const json = (name: string, value: unknown) => writeFile(join(folder, name), JSON.stringify(value));
    await json('config.json', config);
    await json('tokenizer.json', { model: { type: 'WordLevel', vocab: { '[UNK]': 0 }, unk_token: '[UNK]' } });
    await json('modules.json', [
      { idx: 0, name: '0', path: '', type: 'sentence_transformers.models.Transformer' },
      { idx: 1, name: '1', path: '1_Pooling', type: 'sentence_transformers.models.Pooling' },
    ]);
    await json('1_Pooling/config.json', {
      pooling_mode_cls_token: pooling === 'cls',
      pooling_mode_mean_tokens: pooling === 'mean',
      pooling_mode_max_tokens: pooling === 'max',
    });
    await writeFile(join(folder, 'model.safetensors'), encodeSafetensors(this.tensors));
  }
}
