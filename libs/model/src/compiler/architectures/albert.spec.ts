import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
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
  folder = await mkdtemp(join(tmpdir(), 'embedmill-albert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [EMBEDDING, HIDDEN, INNER, LAYERS, HEADS, EPSILON] = [16, 32, 64, 4, 4, 1e-12];
interface Sharing {
  readonly groups: number;
  readonly inner: number;
}
const config = ({ groups, inner }: Sharing) => ({
  model_type: 'albert',
  embedding_size: EMBEDDING,
  num_hidden_groups: groups,
  inner_group_num: inner,
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  intermediate_size: INNER,
  hidden_size: HIDDEN,
  hidden_act: 'gelu_new',
  layer_norm_eps: EPSILON,
  max_position_embeddings: POSITIONS,
  pad_token_id: 0,
  type_vocab_size: 2,
  classifier_dropout_prob: 0.1,
  down_scale_factor: 1,
  gap_size: 0,
  net_structure_type: 0,
  num_memory_blocks: 0,
  vocab_size: VOCABULARY,
});

function randomModel({ groups, inner }: Sharing): PlainModel {
  const model = new PlainModel();
  model.add('embeddings.word_embeddings.weight', [VOCABULARY, EMBEDDING], 1);
  model.add('embeddings.position_embeddings.weight', [POSITIONS, EMBEDDING], 0.3);
  model.add('embeddings.token_type_embeddings.weight', [2, EMBEDDING], 0.3);
  model.addNorm('embeddings.LayerNorm', EMBEDDING);
  model.addLinear('encoder.embedding_hidden_mapping_in', HIDDEN, EMBEDDING);
  for (let group = 0; group < groups; group++) {
    for (let layer = 0; layer < inner; layer++) {
      const at = `encoder.albert_layer_groups.${group}.albert_layers.${layer}`;
      for (const part of ['query', 'key', 'value', 'dense']) model.addLinear(`${at}.attention.${part}`, HIDDEN, HIDDEN);
      model.addNorm(`${at}.attention.LayerNorm`, HIDDEN);
      model.addLinear(`${at}.ffn`, INNER, HIDDEN);
      model.addLinear(`${at}.ffn_output`, HIDDEN, INNER);
      model.addNorm(`${at}.full_layer_layer_norm`, HIDDEN);
    }
  }
  return model;
}

function forward(model: PlainModel, ids: readonly number[], { groups, inner }: Sharing): Rows {
  const words = model.matrix('embeddings.word_embeddings.weight');
  const positions = model.matrix('embeddings.position_embeddings.weight');
  const [type] = model.matrix('embeddings.token_type_embeddings.weight');
  const embedded = ids.map((id, t) => words[id]!.map((x, d) => x + positions[t]![d]! + type![d]!));
  const normed = model.norm(embedded, 'embeddings.LayerNorm', EPSILON);
  let hidden = model.linear(normed, 'encoder.embedding_hidden_mapping_in');
  for (let index = 0; index < LAYERS * inner; index++) {
    const group = Math.floor(index / inner / (LAYERS / groups));
    const at = `encoder.albert_layer_groups.${group}.albert_layers.${index % inner}`;
    const project = (part: string) => model.linear(hidden, `${at}.attention.${part}`);
    const mixed = attend([project('query'), project('key'), project('value')], HEADS);
    const sum = plus(model.linear(mixed, `${at}.attention.dense`), hidden);
    const attended = model.norm(sum, `${at}.attention.LayerNorm`, EPSILON);
    const wide = model.linear(attended, `${at}.ffn`).map((row) => row.map((x) => activate(x, 'gelu_new')));
    const output = plus(model.linear(wide, `${at}.ffn_output`), attended);
    hidden = model.norm(output, `${at}.full_layer_layer_norm`, EPSILON);
  }
  return hidden;
}

describe.each([
  { groups: 1, inner: 1 },
  { groups: 2, inner: 1 },
  { groups: 1, inner: 2 },
])('$groups groups of $inner layers', (sharing) => {
  it.each<[Dtype, number]>([
    ['fp32', 0.999999],
    ['fp16', 0.9999],
    ['int8', 0.998],
  ])('give what plain arithmetic gives: %s', async (dtype, least) => {
    const model = randomModel(sharing);
    const at = join(folder, `${sharing.groups}-${sharing.inner}`);
    await writePlainModel(at, config(sharing), model);
    const compiled = join(folder, 'compiled');
    expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids, sharing))).toBeGreaterThan(least);
  });
});

it('has the weights of a shared layer once', async () => {
  const sharing = { groups: 1, inner: 1 };
  const model = randomModel(sharing);
  const at = join(folder, 'once');
  await writePlainModel(at, config(sharing), model);
  const compiled = join(folder, 'once-compiled');
  await smallestCosine(at, 'fp32', compiled, (ids) => forward(model, ids, sharing));
  const [graph] = await readdir(join(compiled, 'graphs'));
  const { size } = await stat(join(compiled, 'graphs', graph!, 'weights.bin'));
  const original = await stat(join(at, 'model.safetensors'));
  expect(size).toBeLessThan(original.size * 1.1);
});
