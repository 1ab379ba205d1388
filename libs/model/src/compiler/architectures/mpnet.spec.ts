import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { activate, placesAfter } from '../../../../../test/support/reference-forward.js';
import {
  attend,
  PlainModel,
  plus,
  POSITIONS,
  type Rows,
  smallestCosine,
  VOCABULARY,
  writePlainModel,
} from './plain-model.fixture.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-mpnet-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, HEADS, EPSILON] = [32, 64, 2, 4, 1e-5];
const CONFIG = {
  model_type: 'mpnet',
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  intermediate_size: INNER,
  hidden_size: HIDDEN,
  hidden_act: 'gelu',
  layer_norm_eps: EPSILON,
  max_position_embeddings: POSITIONS + 2,
  pad_token_id: 1,
  relative_attention_num_buckets: 32,
  vocab_size: VOCABULARY,
};

function randomModel(): PlainModel {
  const model = new PlainModel();
  model.add('embeddings.word_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  model.add('embeddings.position_embeddings.weight', [POSITIONS + 2, HIDDEN], 0.3);
  model.addNorm('embeddings.LayerNorm', HIDDEN);
  // As large as the scores themselves, so that a wrong bucket shows.
  model.add('encoder.relative_attention_bias.weight', [32, HEADS], 2);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['q', 'k', 'v', 'o']) model.addLinear(`${at}.attention.attn.${part}`, HIDDEN, HIDDEN);
    model.addNorm(`${at}.attention.LayerNorm`, HIDDEN);
    model.addLinear(`${at}.intermediate.dense`, INNER, HIDDEN);
    model.addLinear(`${at}.output.dense`, HIDDEN, INNER);
    model.addNorm(`${at}.output.LayerNorm`, HIDDEN);
  }
  return model;
}

/** The last distance in each bucket of one direction: 8 * 16^(n / 8) is where the n-th shared one begins. */
const LAST_DISTANCES = [0, 1, 2, 3, 4, 5, 6, 7, 11, 15, 22, 31, 45, 63, 90, Infinity];

function bucket(query: number, key: number): number {
  const at = LAST_DISTANCES.findIndex((last) => Math.abs(key - query) <= last);
  return key > query ? 16 + at : at;
}

function forward(model: PlainModel, ids: readonly number[]): Rows {
  const words = model.matrix('embeddings.word_embeddings.weight');
  const positions = model.matrix('embeddings.position_embeddings.weight');
  const bias = model.matrix('encoder.relative_attention_bias.weight');
  const places = placesAfter(1, ids);
  const embedded = ids.map((id, t) => words[id]!.map((x, d) => x + positions[places[t]!]![d]!));
  let hidden = model.norm(embedded, 'embeddings.LayerNorm', EPSILON);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    const project = (part: string) => model.linear(hidden, `${at}.attention.attn.${part}`);
    const parts = [project('q'), project('k'), project('v')] as const;
    const mixed = attend(parts, HEADS, (head, query, key) => bias[bucket(query, key)]![head]!);
    const sum = plus(model.linear(mixed, `${at}.attention.attn.o`), hidden);
    const attended = model.norm(sum, `${at}.attention.LayerNorm`, EPSILON);
    const wide = model.linear(attended, `${at}.intermediate.dense`).map((row) => row.map((x) => activate(x, 'gelu')));
    hidden = model.norm(plus(model.linear(wide, `${at}.output.dense`), attended), `${at}.output.LayerNorm`, EPSILON);
  }
  return hidden;
}

it.each<[Dtype, number]>([
  ['fp32', 0.999999],
  ['fp16', 0.9999],
  ['int8', 0.998],
])('gives what plain arithmetic gives: %s', async (dtype, least) => {
  const model = randomModel();
  const at = join(folder, 'model');
  await writePlainModel(at, CONFIG, model);
  const compiled = join(folder, 'compiled');
  expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids))).toBeGreaterThan(least);
});
