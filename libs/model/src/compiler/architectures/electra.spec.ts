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
  folder = await mkdtemp(join(tmpdir(), 'embedmill-electra-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, HEADS, EPSILON] = [32, 64, 2, 4, 1e-12];
const config = (embedding: number) => ({
  model_type: 'electra',
  embedding_size: embedding,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  intermediate_size: INNER,
  hidden_size: HIDDEN,
  hidden_act: 'gelu',
  layer_norm_eps: EPSILON,
  max_position_embeddings: POSITIONS,
  pad_token_id: 0,
  type_vocab_size: 2,
  summary_activation: 'gelu',
  summary_last_dropout: 0.1,
  summary_type: 'first',
  summary_use_proj: true,
  vocab_size: VOCABULARY,
});

function randomModel(embedding: number): PlainModel {
  const model = new PlainModel();
  model.add('electra.embeddings.word_embeddings.weight', [VOCABULARY, embedding], 1);
  model.add('electra.embeddings.position_embeddings.weight', [POSITIONS, embedding], 0.3);
  model.add('electra.embeddings.token_type_embeddings.weight', [2, embedding], 0.3);
  model.addNorm('electra.embeddings.LayerNorm', embedding);
  if (embedding !== HIDDEN) model.addLinear('electra.embeddings_project', HIDDEN, embedding);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `electra.encoder.layer.${layer}`;
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense']) {
      model.addLinear(`${at}.attention.${part}`, HIDDEN, HIDDEN);
    }
    model.addNorm(`${at}.attention.output.LayerNorm`, HIDDEN);
    model.addLinear(`${at}.intermediate.dense`, INNER, HIDDEN);
    model.addLinear(`${at}.output.dense`, HIDDEN, INNER);
    model.addNorm(`${at}.output.LayerNorm`, HIDDEN);
  }
  return model;
}

function forward(model: PlainModel, ids: readonly number[]): Rows {
  const words = model.matrix('electra.embeddings.word_embeddings.weight');
  const positions = model.matrix('electra.embeddings.position_embeddings.weight');
  const [type] = model.matrix('electra.embeddings.token_type_embeddings.weight');
  const embedded = ids.map((id, t) => words[id]!.map((x, d) => x + positions[t]![d]! + type![d]!));
  let hidden = model.norm(embedded, 'electra.embeddings.LayerNorm', EPSILON);
  if (words[0]!.length !== HIDDEN) hidden = model.linear(hidden, 'electra.embeddings_project');
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `electra.encoder.layer.${layer}`;
    const project = (part: string) => model.linear(hidden, `${at}.attention.self.${part}`);
    const mixed = attend([project('query'), project('key'), project('value')], HEADS);
    const sum = plus(model.linear(mixed, `${at}.attention.output.dense`), hidden);
    const attended = model.norm(sum, `${at}.attention.output.LayerNorm`, EPSILON);
    const wide = model.linear(attended, `${at}.intermediate.dense`).map((row) => row.map((x) => activate(x, 'gelu')));
    hidden = model.norm(plus(model.linear(wide, `${at}.output.dense`), attended), `${at}.output.LayerNorm`, EPSILON);
  }
  return hidden;
}

describe.each([
  ['as wide as the hidden states', HIDDEN],
  ['narrower', 16],
])('embeddings %s', (_name, embedding) => {
  it.each<[Dtype, number]>([
    ['fp32', 0.999999],
    ['fp16', 0.9999],
    ['int8', 0.998],
  ])('give what plain arithmetic gives: %s', async (dtype, least) => {
    const model = randomModel(embedding);
    const at = join(folder, String(embedding));
    await writePlainModel(at, config(embedding), model);
    const compiled = join(folder, 'compiled');
    expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids))).toBeGreaterThan(least);
  });
});
