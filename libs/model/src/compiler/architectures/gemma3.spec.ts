import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compileFolder, cosine, runRows, TINY_ROWS } from '../../../../../test/support/encoder-check.js';
import { attend, frequencies, mean, PlainLayers, turn, type Rows } from '../../../../../test/support/plain-layers.js';
import { activate, add } from '../../../../../test/support/reference-forward.js';
import { TinyCheckpoint } from '../../../../../test/support/tiny-checkpoint.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-gemma3-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS, SIZE, EPSILON] = [32, 48, 3, 3, 1, 16, 1e-6];

const CONFIG = {
  model_type: 'gemma3_text',
  vocab_size: 60,
  hidden_size: HIDDEN,
  hidden_activation: 'gelu_pytorch_tanh',
  num_hidden_layers: LAYERS,
  num_attention_heads: HEADS,
  num_key_value_heads: KEY_HEADS,
  head_dim: SIZE,
  intermediate_size: INNER,
  max_position_embeddings: 64,
  query_pre_attn_scalar: 20,
  rms_norm_eps: EPSILON,
  sliding_window: 8,
  layer_types: ['sliding_attention', 'full_attention', 'sliding_attention'],
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
  rope_scaling: null,
  use_bidirectional_attention: true,
  attn_logit_softcapping: null,
  final_logit_softcapping: null,
  pad_token_id: 0,
};

function checkpoint(): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  const norm = (name: string, size: number) => tiny.norm(name, size, { shift: false, centre: 0 });
  tiny.tensor('embed_tokens.weight', [60, HIDDEN], 0.3);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    for (const name of ['input', 'post_attention', 'pre_feedforward', 'post_feedforward']) {
      norm(`${at}.${name}_layernorm`, HIDDEN);
    }
    tiny.linear(`${at}.self_attn.q_proj`, HEADS * SIZE, HIDDEN, false);
    tiny.linear(`${at}.self_attn.k_proj`, KEY_HEADS * SIZE, HIDDEN, false);
    tiny.linear(`${at}.self_attn.v_proj`, KEY_HEADS * SIZE, HIDDEN, false);
    tiny.linear(`${at}.self_attn.o_proj`, HIDDEN, HEADS * SIZE, false);
    norm(`${at}.self_attn.q_norm`, SIZE);
    norm(`${at}.self_attn.k_norm`, SIZE);
    tiny.linear(`${at}.mlp.gate_proj`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.up_proj`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.down_proj`, HIDDEN, INNER, false);
  }
  norm('norm', HIDDEN);
  return tiny;
}

interface Pattern {
  readonly isGlobal: (layer: number) => boolean;
  readonly globalTheta: number;
  readonly localTheta: number;
  readonly near: (from: number, to: number) => boolean;
  readonly sees: (from: number, to: number) => boolean;
}

const PATTERN: Pattern = {
  isGlobal: (layer) => layer === 1,
  globalTheta: 1_000_000,
  localTheta: 10_000,
  near: (from, to) => Math.abs(from - to) <= 4,
  sees: () => true,
};

function forward(tiny: TinyCheckpoint, ids: readonly number[], pattern: Pattern): Rows {
  const plain = new PlainLayers(tiny.tensors);
  const norm = (rows: Rows, name: string) => plain.rmsNorm(rows, name, EPSILON, 1);
  const words = plain.matrix('embed_tokens.weight');
  let hidden = ids.map((id) => words[id]!.map((x) => x * Math.sqrt(HIDDEN)));
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    const everything = pattern.isGlobal(layer);
    const turns = frequencies(everything ? pattern.globalTheta : pattern.localTheta, SIZE);
    const input = norm(hidden, `${at}.input_layernorm`);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => plain.linear(input, `${at}.self_attn.${part}_proj`));
    const mixed = attend(q!, k!, v!, {
      heads: HEADS,
      keyHeads: KEY_HEADS,
      scale: 1 / Math.sqrt(20),
      sees: everything ? pattern.sees : pattern.near,
      prepare: (head, position, kind) =>
        turn(norm([head], `${at}.self_attn.${kind === 'query' ? 'q' : 'k'}_norm`)[0]!, position, turns),
    });
    const attended = norm(plain.linear(mixed, `${at}.self_attn.o_proj`), `${at}.post_attention_layernorm`);
    hidden = add(hidden, attended);
    const next = norm(hidden, `${at}.pre_feedforward_layernorm`);
    const [gate, up] = ['gate', 'up'].map((part) => plain.linear(next, `${at}.mlp.${part}_proj`));
    const gated = gate!.map((row, t) => row.map((x, d) => activate(x, 'tanh') * up![t]![d]!));
    hidden = add(hidden, norm(plain.linear(gated, `${at}.mlp.down_proj`), `${at}.post_feedforward_layernorm`));
  }
  return norm(hidden, 'norm');
}

it.each<[string, object, Pattern]>([
  ['in both directions, as EmbeddingGemma', {}, PATTERN],
  [
    'causal, as the language model',
    { use_bidirectional_attention: false },
    { ...PATTERN, near: (from, to) => to <= from && from - to < 8, sees: (from, to) => to <= from },
  ],
  [
    'the settings of transformers 5',
    {
      rope_theta: undefined,
      rope_local_base_freq: undefined,
      rope_parameters: {
        full_attention: { rope_type: 'default', rope_theta: 700 },
        sliding_attention: { rope_type: 'default', rope_theta: 30 },
      },
    },
    { ...PATTERN, globalTheta: 700, localTheta: 30 },
  ],
  [
    'a pattern without a list of layers',
    { layer_types: undefined, _sliding_window_pattern: 3 },
    { ...PATTERN, isGlobal: (layer) => layer === 2 },
  ],
])('gives what plain arithmetic gives: %s', async (name, members, pattern) => {
  const at = join(folder, name);
  const tiny = checkpoint();
  await tiny.write(at, { ...CONFIG, ...members });
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const expected = mean(forward(tiny, row, pattern));
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
});

it('comes close in int8', async () => {
  const at = join(folder, 'int8');
  const tiny = checkpoint();
  await tiny.write(at, CONFIG);
  const vectors = await runRows(await compileFolder(at, 'int8', folder), TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row, PATTERN)))).toBeGreaterThan(0.99);
  }
});

it('refuses fp16, and says why', async () => {
  const at = join(folder, 'half');
  await checkpoint().write(at, CONFIG);
  await expect(compileFolder(at, 'fp16', folder)).rejects.toThrow(/fp16 is not served.*bfloat16.*use fp32/);
});

it.each<[string, object, RegExp]>([
  ['scores bounded by a tangent', { attn_logit_softcapping: 50 }, /attn_logit_softcapping is 50/],
  ['scaled positions', { rope_scaling: { rope_type: 'linear', factor: 8 } }, /rope_scaling is .*linear/],
])('refuses %s', async (name, members, message) => {
  const at = join(folder, name);
  await checkpoint().write(at, { ...CONFIG, ...members });
  await expect(readManifest(await filesInFolder(at, 'folder:test', 'fp32'))).rejects.toThrow(message);
});
