import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { compileFolder, cosine, runRows, TINY_ROWS } from '../../../../../test/support/encoder-check.js';
import {
  attend,
  frequencies,
  mean,
  PlainLayers,
  silu,
  turn,
  type Rows,
} from '../../../../../test/support/plain-layers.js';
import { activate, add, dot, softmax } from '../../../../../test/support/reference-forward.js';
import { TinyCheckpoint } from '../../../../../test/support/tiny-checkpoint.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';
import { compileModel } from '../compile-model.js';
import type { Head } from '../heads/head.js';
import { poolingHead } from '../heads/pooling.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-nomic-bert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, HEADS, INNER, LAYERS, EPSILON] = [32, 2, 48, 2, 1e-6];

/** With the members of nomic-embed-text-v1.5 that have a say. */
const CONFIG = {
  model_type: 'nomic_bert',
  auto_map: { AutoModel: 'code.Model' },
  vocab_size: 60,
  n_embd: HIDDEN,
  n_head: HEADS,
  n_inner: INNER,
  n_layer: LAYERS,
  n_positions: 64,
  max_trained_positions: 16,
  activation_function: 'swiglu',
  layer_norm_epsilon: EPSILON,
  prenorm: false,
  causal: false,
  qkv_proj_bias: false,
  mlp_fc1_bias: false,
  mlp_fc2_bias: false,
  rotary_emb_base: 1000,
  rotary_emb_fraction: 1,
  rotary_emb_interleaved: false,
  rotary_emb_scale_base: null,
  rotary_scaling_factor: null,
  type_vocab_size: 2,
  use_flash_attn: true,
  pad_vocab_size_multiple: 64,
};

function checkpoint(): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embeddings.word_embeddings.weight', [60, HIDDEN], 1);
  tiny.tensor('embeddings.token_type_embeddings.weight', [2, HIDDEN], 0.3);
  tiny.norm('emb_ln', HIDDEN, { shift: true });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layers.${layer}`;
    tiny.linear(`${at}.attn.Wqkv`, 3 * HIDDEN, HIDDEN, false);
    tiny.linear(`${at}.attn.out_proj`, HIDDEN, HIDDEN, false);
    tiny.norm(`${at}.norm1`, HIDDEN, { shift: true });
    tiny.linear(`${at}.mlp.fc11`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.fc12`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.fc2`, HIDDEN, INNER, false);
    tiny.norm(`${at}.norm2`, HIDDEN, { shift: true });
  }
  return tiny;
}

const [EXPERTS, CHOSEN] = [4, 2];

/** As nomic-embed-text-v2-moe: no gates, biases, and experts in every second layer. */
const MIXTURE = {
  ...CONFIG,
  activation_function: 'gelu',
  qkv_proj_bias: true,
  mlp_fc1_bias: true,
  mlp_fc2_bias: true,
  num_experts: EXPERTS,
  moe_every_n_layers: 2,
  moe_top_k: CHOSEN,
  moe_normalize_expert_weights: false,
  moe_impl: 'megablocks',
  moe_resid_pdrop: 0,
  expert_choice_router: false,
  ffn_div: 1,
  num_shared_experts: 0,
  router_aux_loss_coef: 0.05,
  type_vocab_size: 1,
};

function mixture(): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embeddings.word_embeddings.weight', [60, HIDDEN], 1);
  tiny.tensor('embeddings.token_type_embeddings.weight', [1, HIDDEN], 0.3);
  tiny.norm('emb_ln', HIDDEN, { shift: true });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layers.${layer}`;
    tiny.linear(`${at}.attn.Wqkv`, 3 * HIDDEN, HIDDEN, true);
    tiny.linear(`${at}.attn.out_proj`, HIDDEN, HIDDEN, true);
    tiny.norm(`${at}.norm1`, HIDDEN, { shift: true });
    if (layer % 2 === 0) {
      tiny.linear(`${at}.mlp.fc1`, INNER, HIDDEN, true);
      tiny.linear(`${at}.mlp.fc2`, HIDDEN, INNER, true);
    } else {
      tiny.linear(`${at}.mlp.router.layer`, EXPERTS, HIDDEN, false);
      tiny.tensor(`${at}.mlp.experts.mlp.w1`, [EXPERTS * INNER, HIDDEN], 0.4);
      tiny.tensor(`${at}.mlp.experts.mlp.w2`, [EXPERTS * INNER, HIDDEN], 0.4);
      tiny.tensor(`${at}.mlp.experts.bias`, [HIDDEN], 0.2);
    }
    tiny.norm(`${at}.norm2`, HIDDEN, { shift: true });
  }
  return tiny;
}

/** @param seen counts the tokens of each expert */
function expertsForward(plain: PlainLayers, rows: Rows, at: string, seen: number[]): Rows {
  const [w1, w2, bias] = [plain.matrix(`${at}.mlp.w1`), plain.matrix(`${at}.mlp.w2`), plain.vector(`${at}.bias`)];
  const scores = plain.linear(rows, at.replace('experts', 'router.layer')).map(softmax);
  return rows.map((row, t) => {
    const best = scores[t]!.map((score, expert) => ({ score, expert })).sort((a, b) => b.score - a.score);
    const out = [...bias];
    for (const { expert, score } of best.slice(0, CHOSEN)) {
      seen[expert]!++;
      for (let i = expert * INNER; i < (expert + 1) * INNER; i++) {
        const active = activate(dot(row, w1[i]!), 'gelu');
        for (let d = 0; d < HIDDEN; d++) out[d]! += score * active * w2[i]![d]!;
      }
    }
    return out;
  });
}

/** @param seen how many tokens each expert got */
function mixtureForward(tiny: TinyCheckpoint, ids: readonly number[], seen: number[]): Rows {
  return encode(
    tiny,
    ids,
    ids.map(() => 0),
    (plain, hidden, at, layer) => {
      if (layer % 2 === 1) return expertsForward(plain, hidden, `${at}.mlp.experts`, seen);
      const wide = plain.linear(hidden, `${at}.mlp.fc1`).map((row) => row.map((x) => activate(x, 'gelu')));
      return plain.linear(wide, `${at}.mlp.fc2`);
    },
  );
}

function forward(tiny: TinyCheckpoint, ids: readonly number[], types = ids.map(() => 0)): Rows {
  return encode(tiny, ids, types, (plain, hidden, at) => {
    const up = plain.linear(hidden, `${at}.mlp.fc11`);
    const gate = plain.linear(hidden, `${at}.mlp.fc12`);
    const gated = up.map((row, t) => row.map((x, d) => x * silu(gate[t]![d]!)));
    return plain.linear(gated, `${at}.mlp.fc2`);
  });
}

function encode(
  tiny: TinyCheckpoint,
  ids: readonly number[],
  types: readonly number[],
  feedForward: (plain: PlainLayers, hidden: Rows, at: string, layer: number) => Rows,
): Rows {
  const plain = new PlainLayers(tiny.tensors);
  const words = plain.matrix('embeddings.word_embeddings.weight');
  const typed = plain.matrix('embeddings.token_type_embeddings.weight');
  const embedded = ids.map((id, t) => words[id]!.map((x, d) => x + typed[types[t]!]![d]!));
  let hidden = plain.layerNorm(embedded, 'emb_ln', EPSILON);
  const turns = frequencies(1000, HIDDEN / HEADS);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `encoder.layers.${layer}`;
    const packed = plain.linear(hidden, `${at}.attn.Wqkv`);
    const [q, k, v] = [0, 1, 2].map((part) => packed.map((row) => row.slice(part * HIDDEN, (part + 1) * HIDDEN)));
    const mixed = attend(q!, k!, v!, {
      heads: HEADS,
      keyHeads: HEADS,
      prepare: (head, position) => turn(head, position, turns),
    });
    hidden = plain.layerNorm(add(plain.linear(mixed, `${at}.attn.out_proj`), hidden), `${at}.norm1`, EPSILON);
    hidden = plain.layerNorm(add(feedForward(plain, hidden, at, layer), hidden), `${at}.norm2`, EPSILON);
  }
  return hidden;
}

it.each<['mean' | 'cls']>([['mean'], ['cls']])('gives what plain arithmetic gives: %s pooling', async (pooling) => {
  const at = join(folder, pooling);
  const tiny = checkpoint();
  await tiny.write(at, CONFIG, pooling);
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  expect(graph.card.maxTokens).toBe(64);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const states = forward(tiny, row);
    const expected = pooling === 'mean' ? mean(states) : states[0]!;
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
});

it('gives each token to the experts that its router chooses', async () => {
  const at = join(folder, 'mixture');
  const tiny = mixture();
  await tiny.write(at, MIXTURE);
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  const seen = Array.from({ length: EXPERTS }, () => 0);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const expected = mean(mixtureForward(tiny, row, seen));
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    // A single text leaves some experts without a token.
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
  expect(Math.min(...seen)).toBeGreaterThan(0);
  await expect(compileFolder(at, 'int8', folder)).rejects.toThrow(/EMBED_DTYPE=int8 is not served for this model/);
});

it('reads the configuration of transformers 5', async () => {
  const at = join(folder, 'version-5');
  const tiny = checkpoint();
  await tiny.write(at, {
    model_type: 'nomic_bert',
    vocab_size: 60,
    hidden_size: HIDDEN,
    hidden_act: 'silu',
    num_hidden_layers: LAYERS,
    num_attention_heads: HEADS,
    intermediate_size: INNER,
    head_dim: HIDDEN / HEADS,
    layer_norm_eps: EPSILON,
    max_position_embeddings: 48,
    rope_parameters: { rope_type: 'default', rope_theta: 1000 },
    type_vocab_size: 2,
  });
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  expect(graph.card.maxTokens).toBe(48);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row)))).toBeGreaterThan(0.999_999);
  }
});

it('takes the types of tokens where its inputs are pairs', async () => {
  const at = join(folder, 'pairs');
  const tiny = checkpoint();
  await tiny.write(at, CONFIG);
  const files = await filesInFolder(at, 'folder:test', 'fp32');
  const manifest = await readManifest(files);
  const head: Head = { ...poolingHead('mean'), tokenTypes: 'input' };
  const graph = await compileModel(files, manifest, manifest.encoder!, { dtype: 'fp32', modelDir: folder, head });
  expect(graph.graph.inputs).toContain('token_type_ids');
  const types = TINY_ROWS.map((row) => row.map((_, t) => Number(t >= row.length / 2)));
  const vectors = await runRows(graph, TINY_ROWS, types);
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row, types[r])))).toBeGreaterThan(0.999_999);
    expect(cosine(vectors[r]!, mean(forward(tiny, row)))).toBeLessThan(0.9999);
  }
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

it('serves only the positions of training where longer texts would depend on their batch', async () => {
  const at = join(folder, 'scaled');
  await checkpoint().write(at, { ...CONFIG, rotary_scaling_factor: 2 });
  const { maxTokens } = await readManifest(await filesInFolder(at, 'folder:test', 'fp32'));
  expect(maxTokens).toBe(16);
});

it.each<[string, object, RegExp]>([
  ['experts with gates', { num_experts: 8, moe_every_n_layers: 2 }, /moe_every_n_layers is 2; .* without a gate/],
  [
    'too few experts',
    { num_experts: 1, moe_every_n_layers: 2, moe_top_k: 2, activation_function: 'gelu' },
    /moe_top_k is 2, but num_experts is 1/,
  ],
  ['experts that everything goes to', { num_shared_experts: 1 }, /num_shared_experts is 1/],
  ['norms before the branches', { prenorm: true }, /prenorm is true/],
  ['partly turned heads', { rotary_emb_fraction: 0.5 }, /rotary_emb_fraction is 0\.5/],
  ['an unknown activation', { activation_function: 'relu' }, /activation_function is "relu"/],
])('refuses %s', async (name, members, message) => {
  const at = join(folder, name);
  await checkpoint().write(at, { ...CONFIG, ...members });
  await expect(readManifest(await filesInFolder(at, 'folder:test', 'fp32'))).rejects.toThrow(message);
});
