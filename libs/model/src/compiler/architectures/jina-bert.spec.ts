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
  folder = await mkdtemp(join(tmpdir(), 'embedmill-jina-bert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, EPSILON] = [48, 64, 2, 1e-12];
interface Kind {
  /** The models for code have norms of queries and keys, and other names. */
  readonly code: boolean;
  readonly heads: number;
}
const config = ({ code, heads }: Kind) => ({
  model_type: 'bert',
  position_embedding_type: 'alibi',
  auto_map: {
    AutoConfig: `jinaai/${code ? 'jina-bert-v2-qk-post-norm' : 'jina-bert-implementation'}--configuration_bert.JinaBertConfig`,
  },
  emb_pooler: 'mean',
  feed_forward_type: 'geglu',
  num_hidden_layers: LAYERS,
  num_attention_heads: heads,
  intermediate_size: INNER,
  hidden_size: HIDDEN,
  hidden_act: 'gelu',
  layer_norm_eps: EPSILON,
  max_position_embeddings: POSITIONS,
  model_max_length: POSITIONS,
  pad_token_id: 0,
  type_vocab_size: 2,
  vocab_size: VOCABULARY,
});

function randomModel({ code }: Kind): PlainModel {
  const model = new PlainModel();
  model.add('embeddings.word_embeddings.weight', [VOCABULARY, HIDDEN], 1);
  model.add('embeddings.token_type_embeddings.weight', [2, HIDDEN], 0.3);
  model.addNorm('embeddings.LayerNorm', HIDDEN);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    for (const part of ['self.query', 'self.key', 'self.value', 'output.dense']) {
      model.addLinear(`${at}.attention.${part}`, HIDDEN, HIDDEN);
    }
    model.addNorm(`${at}.attention.output.LayerNorm`, HIDDEN);
    model.addLinear(`${at}.mlp.${code ? 'up_gated_layer' : 'gated_layers'}`, 2 * INNER, HIDDEN, { bias: false });
    model.addLinear(`${at}.mlp.${code ? 'down_layer' : 'wo'}`, HIDDEN, INNER);
    const norms = ['attention.self.layer_norm_q', 'attention.self.layer_norm_k', 'layer_norm_1', 'layer_norm_2'];
    for (const norm of code ? norms : ['mlp.layernorm']) model.addNorm(`${at}.${norm}`, HIDDEN);
  }
  return model;
}

/** For 4 heads from the paper; for 6, those of 4 and every second one of 8. */
const SLOPES: Readonly<Record<number, readonly number[]>> = {
  4: [1 / 4, 1 / 16, 1 / 64, 1 / 256],
  6: [1 / 4, 1 / 16, 1 / 64, 1 / 256, 1 / 2, 1 / 8],
};

function forward(model: PlainModel, ids: readonly number[], { code, heads }: Kind): Rows {
  const words = model.matrix('embeddings.word_embeddings.weight');
  const [type] = model.matrix('embeddings.token_type_embeddings.weight');
  const embedded = ids.map((id) => words[id]!.map((x, d) => x + type![d]!));
  let hidden = model.norm(embedded, 'embeddings.LayerNorm', EPSILON);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layer.${layer}`;
    const project = (part: string) => model.linear(hidden, `${at}.attention.self.${part}`);
    const normed = (rows: Rows, part: string) =>
      code ? model.norm(rows, `${at}.attention.self.layer_norm_${part}`, EPSILON) : rows;
    const parts = [normed(project('query'), 'q'), normed(project('key'), 'k'), project('value')] as const;
    const mixed = attend(parts, heads, (head, query, key) => -SLOPES[heads]![head]! * Math.abs(query - key));
    const sum = plus(model.linear(mixed, `${at}.attention.output.dense`), hidden);
    let attended = model.norm(sum, `${at}.attention.output.LayerNorm`, EPSILON);
    if (code) attended = model.norm(plus(attended, hidden), `${at}.layer_norm_1`, EPSILON);
    const wide = model.linear(attended, `${at}.mlp.${code ? 'up_gated_layer' : 'gated_layers'}`).map((row) => {
      const halves = [row.slice(0, INNER), row.slice(INNER)] as const;
      const [gate, other] = code ? [halves[1], halves[0]] : halves;
      return gate.map((x, i) => activate(x, 'gelu') * other[i]!);
    });
    const output = plus(model.linear(wide, `${at}.mlp.${code ? 'down_layer' : 'wo'}`), attended);
    hidden = model.norm(output, `${at}.${code ? 'layer_norm_2' : 'mlp.layernorm'}`, EPSILON);
  }
  return hidden;
}

describe.each<Kind>([
  { code: false, heads: 4 },
  { code: false, heads: 6 },
  { code: true, heads: 6 },
])('for code: $code, $heads heads', (kind) => {
  it.each<[Dtype, number]>([
    ['fp32', 0.999999],
    ['fp16', 0.9999],
    ['int8', 0.998],
  ])('gives what plain arithmetic gives: %s', async (dtype, least) => {
    const model = randomModel(kind);
    const at = join(folder, `${kind.code}-${kind.heads}`);
    await writePlainModel(at, config(kind), model);
    const compiled = join(folder, 'compiled');
    expect(await smallestCosine(at, dtype, compiled, (ids) => forward(model, ids, kind))).toBeGreaterThan(least);
  });
});

it.each([
  ['auto_map', { AutoModel: 'someone/else--modeling.OtherModel' }, /auto_map has "someone.*only JinaBERT's code/],
  ['feed_forward_type', 'original', /feed_forward_type is "original"; .* only with "geglu"/],
])('refuses another %s', async (member, content, message) => {
  const kind = { code: false, heads: 4 };
  const at = join(folder, member);
  await writePlainModel(at, { ...config(kind), [member]: content }, randomModel(kind));
  await expect(smallestCosine(at, 'fp32', join(folder, 'compiled'), () => [])).rejects.toThrow(message);
});
