import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { compileFolder, cosine, runRows, TINY_ROWS } from '../../../../../test/support/encoder-check.js';
import { attend, frequencies, mean, PlainLayers, turn, type Rows } from '../../../../../test/support/plain-layers.js';
import { activate, add } from '../../../../../test/support/reference-forward.js';
import { TinyCheckpoint } from '../../../../../test/support/tiny-checkpoint.js';
import { loadHeads } from '../../load-heads.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-gte-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, HEADS, INNER, LAYERS, EPSILON] = [32, 2, 48, 2, 1e-6];
const SIZE = HIDDEN / HEADS;

const CONFIG = {
  model_type: 'new',
  auto_map: { AutoModel: 'code.Model' },
  vocab_size: 60,
  hidden_size: HIDDEN,
  hidden_act: 'gelu',
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  intermediate_size: INNER,
  max_position_embeddings: 64,
  layer_norm_eps: EPSILON,
  layer_norm_type: 'layer_norm',
  logn_attention_scale: false,
  logn_attention_clip1: false,
  pack_qkv: true,
  pad_token_id: 0,
  position_embedding_type: 'rope',
  rope_theta: 5000,
  rope_scaling: null,
  type_vocab_size: 0,
  unpad_inputs: true,
  use_memory_efficient_attention: true,
};

/** @param packed whether queries, keys and values have one matrix, as most checkpoints do */
function checkpoint({ prefix = '', types = 0, packed = true } = {}): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  tiny.tensor(`${prefix}embeddings.word_embeddings.weight`, [60, HIDDEN], 1);
  if (types > 0) tiny.tensor(`${prefix}embeddings.token_type_embeddings.weight`, [types, HIDDEN], 0.5);
  tiny.norm(`${prefix}embeddings.LayerNorm`, HIDDEN, { shift: true });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `${prefix}encoder.layer.${layer}`;
    if (packed) tiny.linear(`${at}.attention.qkv_proj`, 3 * HIDDEN, HIDDEN, true);
    else for (const part of ['q', 'k', 'v']) tiny.linear(`${at}.attention.${part}_proj`, HIDDEN, HIDDEN, true);
    tiny.linear(`${at}.attention.o_proj`, HIDDEN, HIDDEN, true);
    tiny.norm(`${at}.attn_ln`, HIDDEN, { shift: true });
    tiny.linear(`${at}.mlp.up_gate_proj`, 2 * INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.down_proj`, HIDDEN, INNER, true);
    tiny.norm(`${at}.mlp_ln`, HIDDEN, { shift: true });
  }
  return tiny;
}

const PLAIN = frequencies(5000, SIZE);

/** Fixed NTK scaling: a theta eight times as large, and then every frequency divided by `8 ** (2 / size)`. */
function scaledBy8(pair: number): number {
  return frequencies(8 * 5000, SIZE)(pair) / 8 ** (2 / SIZE);
}

function forward(
  tiny: TinyCheckpoint,
  ids: readonly number[],
  { prefix = '', typed = false, turns = PLAIN } = {},
): Rows {
  const plain = new PlainLayers(tiny.tensors);
  const words = plain.matrix(`${prefix}embeddings.word_embeddings.weight`);
  const type = typed ? plain.matrix(`${prefix}embeddings.token_type_embeddings.weight`)[0]! : null;
  const embedded = ids.map((id) => words[id]!.map((x, d) => x + (type?.[d] ?? 0)));
  let hidden = plain.layerNorm(embedded, `${prefix}embeddings.LayerNorm`, EPSILON);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `${prefix}encoder.layer.${layer}`;
    const packed = tiny.tensors.has(`${at}.attention.qkv_proj.weight`);
    const all = packed ? plain.linear(hidden, `${at}.attention.qkv_proj`) : [];
    const [q, k, v] = ['q', 'k', 'v'].map((part, n) =>
      packed
        ? all.map((row) => row.slice(n * HIDDEN, (n + 1) * HIDDEN))
        : plain.linear(hidden, `${at}.attention.${part}_proj`),
    );
    const mixed = attend(q!, k!, v!, {
      heads: HEADS,
      keyHeads: HEADS,
      prepare: (head, position) => turn(head, position, turns),
    });
    hidden = plain.layerNorm(add(plain.linear(mixed, `${at}.attention.o_proj`), hidden), `${at}.attn_ln`, EPSILON);
    const wide = plain.linear(hidden, `${at}.mlp.up_gate_proj`);
    const gated = wide.map((row) => row.slice(0, INNER).map((up, d) => up * activate(row[INNER + d]!, 'gelu')));
    hidden = plain.layerNorm(add(plain.linear(gated, `${at}.mlp.down_proj`), hidden), `${at}.mlp_ln`, EPSILON);
  }
  return hidden;
}

it.each([
  ['cls pooling', 'cls', {}, {}, {}],
  ['mean pooling, token types and a prefix', 'mean', { type_vocab_size: 1 }, { prefix: 'new.', types: 1 }, {}],
  ['projections apart', 'mean', { model_type: 'gte', pack_qkv: false }, { packed: false }, {}],
  ['positions of a longer context', 'mean', { rope_scaling: { type: 'ntk', factor: 8 } }, {}, { turns: scaledBy8 }],
  [
    'the same as transformers 5 writes it',
    'mean',
    { rope_theta: undefined, rope_parameters: { rope_type: 'ntk', factor: 8, rope_theta: 5000 } },
    {},
    { turns: scaledBy8 },
  ],
] as const)('gives what plain arithmetic gives: %s', async (name, pooling, members, layout, how) => {
  const at = join(folder, name);
  const tiny = checkpoint(layout);
  await tiny.write(at, { ...CONFIG, ...members }, pooling);
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const states = forward(tiny, row, { ...layout, typed: 'types' in layout, ...how });
    const expected = pooling === 'mean' ? mean(states) : states[0]!;
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
});

// transformers has no such family: there is no golden of it.
it.each([true, false])('classifies the first token; with a pooler: %s', async (pooler) => {
  const at = join(folder, `classifier ${pooler}`);
  const prefix = 'new.';
  const tiny = checkpoint({ prefix });
  if (pooler) tiny.linear(`${prefix}pooler.dense`, HIDDEN, HIDDEN, true);
  tiny.linear('classifier', 3, HIDDEN, true);
  const labels = { 0: 'no', 1: 'maybe', 2: 'yes' };
  await tiny.write(at, { ...CONFIG, architectures: ['NewForSequenceClassification'], id2label: labels });
  for (const left of ['modules.json', '1_Pooling']) await rm(join(at, left), { recursive: true });
  const load = () =>
    loadHeads(
      { name: 'm', source: at },
      { modelDir: folder, device: 'cpu', dtype: 'fp32', hfEndpoint: 'http://127.0.0.1' },
    );
  const { onnxPath, outputs } = await load();
  expect(outputs).toEqual({ scores: { each: 'input', width: 3 } });
  const graph = { inputs: [], output: 'scores', width: 3 };
  const logits = await runRows({ onnxPath, graph }, TINY_ROWS);
  const plain = new PlainLayers(tiny.tensors);
  for (const [r, row] of TINY_ROWS.entries()) {
    const first = forward(tiny, row, { prefix }).slice(0, 1);
    const pooled = pooler ? plain.linear(first, `${prefix}pooler.dense`).map((state) => state.map(Math.tanh)) : first;
    const [expected] = plain.linear(pooled, 'classifier');
    logits[r]!.forEach((value, label) => expect(value).toBeCloseTo(expected![label]!, 4));
  }
  await writeFile(
    join(at, 'config.json'),
    JSON.stringify({ ...CONFIG, architectures: ['NewForSequenceClassification'] }),
  );
  await expect(load()).rejects.toThrow('the tensor "classifier.weight" has 3 rows, where config.json says 2');
});

it.each<[Dtype, number]>([
  ['fp16', 0.9999],
  ['int8', 0.995],
])('comes close in %s', async (dtype, least) => {
  const at = join(folder, dtype);
  const tiny = checkpoint();
  await tiny.write(at, CONFIG);
  const vectors = await runRows(await compileFolder(at, dtype, folder), TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row)))).toBeGreaterThan(least);
  }
});

it.each<[string, object, RegExp]>([
  ['scores that grow with the length', { logn_attention_scale: true }, /logn_attention_scale is true/],
  ['another norm', { layer_norm_type: 'rms_norm' }, /layer_norm_type is "rms_norm"/],
  ['another form of scaling', { rope_scaling: { type: 'ntk', factor: 8, mixed_b: 0.6 } }, /only by "default", "ntk"/],
  [
    'absolute positions',
    { position_embedding_type: 'absolute' },
    /position_embedding_type is "absolute"; Embedmill runs "rope" only/,
  ],
])('refuses %s', async (name, members, message) => {
  const at = join(folder, name);
  await checkpoint().write(at, { ...CONFIG, ...members });
  await expect(readManifest(await filesInFolder(at, 'folder:test', 'fp32'))).rejects.toThrow(message);
});
