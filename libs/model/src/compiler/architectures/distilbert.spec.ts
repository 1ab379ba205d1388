import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { activate } from '../../../../../test/support/reference-forward.js';
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
  folder = await mkdtemp(join(tmpdir(), 'embedmill-distilbert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, HEADS, EPSILON] = [32, 64, 2, 4, 1e-12];
const CONFIG = {
  model_type: 'distilbert',
  dim: HIDDEN,
  hidden_dim: INNER,
  n_layers: LAYERS,
  n_heads: HEADS,
  activation: 'gelu',
  max_position_embeddings: POSITIONS,
  pad_token_id: 0,
  sinusoidal_pos_embds: false,
  dropout: 0.1,
  attention_dropout: 0.1,
  qa_dropout: 0.1,
  seq_classif_dropout: 0.2,
  tie_weights_: true,
  vocab_size: VOCABULARY,
};

function randomModel(): PlainModel {
  const model = new PlainModel();
  model.add('distilbert.embeddings.word_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  model.add('distilbert.embeddings.position_embeddings.weight', [POSITIONS, HIDDEN], 0.3);
  model.addNorm('distilbert.embeddings.LayerNorm', HIDDEN);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `distilbert.transformer.layer.${layer}`;
    for (const part of ['q_lin', 'k_lin', 'v_lin', 'out_lin'])
      model.addLinear(`${at}.attention.${part}`, HIDDEN, HIDDEN);
    model.addNorm(`${at}.sa_layer_norm`, HIDDEN);
    model.addLinear(`${at}.ffn.lin1`, INNER, HIDDEN);
    model.addLinear(`${at}.ffn.lin2`, HIDDEN, INNER);
    model.addNorm(`${at}.output_layer_norm`, HIDDEN);
  }
  return model;
}

function forward(model: PlainModel, ids: readonly number[], activation: string): Rows {
  const words = model.matrix('distilbert.embeddings.word_embeddings.weight');
  const positions = model.matrix('distilbert.embeddings.position_embeddings.weight');
  const embedded = ids.map((id, t) => words[id]!.map((x, d) => x + positions[t]![d]!));
  let hidden = model.norm(embedded, 'distilbert.embeddings.LayerNorm', EPSILON);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `distilbert.transformer.layer.${layer}`;
    const project = (part: string) => model.linear(hidden, `${at}.attention.${part}`);
    const mixed = attend([project('q_lin'), project('k_lin'), project('v_lin')], HEADS);
    const sum = plus(model.linear(mixed, `${at}.attention.out_lin`), hidden);
    const attended = model.norm(sum, `${at}.sa_layer_norm`, EPSILON);
    const wide = model.linear(attended, `${at}.ffn.lin1`).map((row) => row.map((x) => activate(x, activation)));
    const output = plus(model.linear(wide, `${at}.ffn.lin2`), attended);
    hidden = model.norm(output, `${at}.output_layer_norm`, EPSILON);
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
  expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids, 'gelu'))).toBeGreaterThan(least);
});

it.each<[string, Dtype, number]>([
  ['relu', 'fp32', 0.999999],
  ['silu', 'fp32', 0.999999],
  ['quick_gelu', 'fp32', 0.999999],
  ['gelu_python', 'fp32', 0.999999],
  ['gelu_new', 'fp32', 0.999999],
  ['relu', 'fp16', 0.9999],
  ['silu', 'fp16', 0.9999],
  ['quick_gelu', 'fp16', 0.9999],
  ['relu', 'int8', 0.998],
  ['silu', 'int8', 0.998],
])('has the activation %s in %s', async (activation, dtype, least) => {
  const model = randomModel();
  const at = join(folder, activation);
  await writePlainModel(at, { ...CONFIG, activation }, model);
  const compiled = join(folder, 'compiled');
  expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids, activation))).toBeGreaterThan(least);
});
