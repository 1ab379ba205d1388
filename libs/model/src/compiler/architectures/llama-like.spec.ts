import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Pooling } from '#contracts';
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
import { add } from '../../../../../test/support/reference-forward.js';
import { TinyCheckpoint } from '../../../../../test/support/tiny-checkpoint.js';
import { loadModel } from '../../load.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-llama-like-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS, HEADS, KEY_HEADS] = [32, 48, 3, 4, 2];

/** What a family is, in the terms of its definition. */
interface Family {
  readonly modelType: string;
  readonly size: number;
  readonly biases: { readonly input: boolean; readonly output: boolean };
  readonly headNorms: boolean;
  readonly epsilon: number;
  readonly sees: (from: number, to: number) => boolean;
  readonly turns: (pair: number) => number;
  readonly members: object;
}

const causal = (from: number, to: number) => to <= from;
const everything = () => true;

const QWEN3: Family = {
  modelType: 'qwen3',
  // Heads together wider than the hidden states, as in the smallest Qwen3.
  size: 16,
  biases: { input: false, output: false },
  headNorms: true,
  epsilon: 1e-6,
  sees: causal,
  turns: frequencies(1_000_000, 16),
  members: {
    head_dim: 16,
    rope_theta: 1_000_000,
    rms_norm_eps: 1e-6,
    use_sliding_window: false,
    max_window_layers: 28,
  },
};

const LLAMA: Family = {
  ...QWEN3,
  modelType: 'llama',
  size: 8,
  headNorms: false,
  epsilon: 1e-5,
  turns: frequencies(10_000, 8),
  members: { rms_norm_eps: 1e-5 },
};

/** Llama 3.1's frequencies: pairs that turn less than once in 16 tokens are slowed by 4, with a ramp up to 4 turns. */
function llama3(pair: number): number {
  const plain = frequencies(500, 8)(pair);
  const turns = (16 * plain) / (2 * Math.PI);
  if (turns < 1) return plain / 4;
  if (turns > 4) return plain;
  const share = (turns - 1) / (4 - 1);
  return (1 - share) * (plain / 4) + share * plain;
}

const LLAMA3 = {
  rope_type: 'llama3',
  factor: 4,
  low_freq_factor: 1,
  high_freq_factor: 4,
  original_max_position_embeddings: 16,
};

it('runs a text of 16,384 tokens of a model with 20,000 positions, if memory is given for it', async () => {
  const at = join(folder, 'long');
  const tiny = new TinyCheckpoint();
  const [hidden, inner, heads, tokens] = [32, 48, 2, 16_384];
  tiny.tensor('embed_tokens.weight', [60, hidden], 1);
  tiny.norm('layers.0.input_layernorm', hidden, { shift: false });
  for (const part of ['q', 'k', 'v', 'o']) tiny.linear(`layers.0.self_attn.${part}_proj`, hidden, hidden, false);
  tiny.norm('layers.0.post_attention_layernorm', hidden, { shift: false });
  for (const part of ['gate', 'up']) tiny.linear(`layers.0.mlp.${part}_proj`, inner, hidden, false);
  tiny.linear('layers.0.mlp.down_proj', hidden, inner, false);
  tiny.norm('norm', hidden, { shift: false });
  const sizes = { hidden_size: hidden, intermediate_size: inner, num_hidden_layers: 1, num_attention_heads: heads };
  const config = {
    architectures: ['LlamaModel'],
    model_type: 'llama',
    vocab_size: 60,
    max_position_embeddings: 20_000,
  };
  await tiny.write(at, { ...config, ...sizes, hidden_act: 'silu', rms_norm_eps: 1e-5, pad_token_id: 0 });
  await writeFile(join(at, '1_Pooling', 'config.json'), JSON.stringify({ pooling_mode_lasttoken: true }));
  const served = { name: 'long', source: at };
  const options = { modelDir: folder, device: 'cpu', hfEndpoint: 'http://127.0.0.1' };
  const usual = await loadModel(served, options);
  expect(usual.card.maxTokens).toBe(8192);
  const long = await loadModel(served, { ...options, deviceMemory: 1024 ** 2 });
  expect(long.card).toMatchObject({ maxTokens: 20_000 });
  expect(long.onnxPath).not.toBe(usual.onnxPath);

  // Only the last token is pooled, so only its row of the layer is computed here.
  const ids = Array.from({ length: tokens }, (_, t) => 2 + ((t * t) % 57));
  const plain = new PlainLayers(tiny.tensors);
  const words = plain.matrix('embed_tokens.weight');
  const embedded = ids.map((id) => words[id]!);
  const normed = plain.rmsNorm(embedded, 'layers.0.input_layernorm', 1e-5);
  const turns = frequencies(10_000, hidden / heads);
  const mixed = attend(
    plain.linear(normed.slice(-1), 'layers.0.self_attn.q_proj'),
    plain.linear(normed, 'layers.0.self_attn.k_proj'),
    plain.linear(normed, 'layers.0.self_attn.v_proj'),
    { heads, keyHeads: heads, prepare: (head, at, kind) => turn(head, kind === 'query' ? tokens - 1 : at, turns) },
  );
  const attended = add(embedded.slice(-1), plain.linear(mixed, 'layers.0.self_attn.o_proj'));
  const wide = plain.rmsNorm(attended, 'layers.0.post_attention_layernorm', 1e-5);
  const [gate, up] = ['gate', 'up'].map((part) => plain.linear(wide, `layers.0.mlp.${part}_proj`));
  const gated = gate!.map((row, r) => row.map((x, d) => silu(x) * up![r]![d]!));
  const states = plain.rmsNorm(add(attended, plain.linear(gated, 'layers.0.mlp.down_proj')), 'norm', 1e-5);
  const [vector] = await runRows(long, [ids]);
  expect(cosine(vector!, states[0]!)).toBeGreaterThan(0.999_99);
});

const FAMILIES: [string, Pooling, Family][] = [
  ['Qwen3, causal', 'mean', QWEN3],
  ['Qwen3, causal', 'max', QWEN3],
  [
    'Qwen3, bidirectional, saved by transformers 5',
    'cls',
    {
      ...QWEN3,
      sees: everything,
      members: {
        head_dim: 16,
        use_bidirectional_attention: true,
        layer_types: Array.from({ length: LAYERS }, () => 'full_attention'),
        rope_parameters: { rope_type: 'default', rope_theta: 1_000_000 },
      },
    },
  ],
  [
    'Qwen2',
    'mean',
    {
      ...LLAMA,
      modelType: 'qwen2',
      biases: { input: true, output: false },
      members: { rms_norm_eps: 1e-5, is_causal: true },
    },
  ],
  ['Mistral', 'mean', { ...LLAMA, modelType: 'mistral', members: { rms_norm_eps: 1e-5, sliding_window: null } }],
  [
    'Mistral with a window',
    'mean',
    {
      ...LLAMA,
      modelType: 'mistral',
      sees: (from, to) => to <= from && to > from - 6,
      members: { rms_norm_eps: 1e-5, sliding_window: 6 },
    },
  ],
  ['Llama', 'mean', LLAMA],
  [
    'Llama with biases and the positions of Llama 3.1',
    'mean',
    {
      ...LLAMA,
      biases: { input: true, output: true },
      turns: llama3,
      members: { rms_norm_eps: 1e-5, attention_bias: true, rope_theta: 500, rope_scaling: LLAMA3 },
    },
  ],
  [
    'EuroBERT',
    'cls',
    {
      ...LLAMA,
      modelType: 'eurobert',
      sees: everything,
      turns: frequencies(250_000, 8),
      members: { rope_theta: 250_000, auto_map: { AutoModel: 'modeling.Model' }, mask_token_id: 4 },
    },
  ],
];

function config({ modelType, members }: Family): object {
  return {
    architectures: ['Model'],
    model_type: modelType,
    vocab_size: 60,
    hidden_size: HIDDEN,
    hidden_act: 'silu',
    num_hidden_layers: LAYERS,
    num_attention_heads: HEADS,
    num_key_value_heads: KEY_HEADS,
    intermediate_size: INNER,
    max_position_embeddings: 64,
    pad_token_id: 0,
    tie_word_embeddings: true,
    ...members,
  };
}

function checkpoint({ size, biases, headNorms }: Family): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  tiny.tensor('embed_tokens.weight', [60, HIDDEN], 1);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    tiny.norm(`${at}.input_layernorm`, HIDDEN, { shift: false });
    tiny.linear(`${at}.self_attn.q_proj`, HEADS * size, HIDDEN, biases.input);
    tiny.linear(`${at}.self_attn.k_proj`, KEY_HEADS * size, HIDDEN, biases.input);
    tiny.linear(`${at}.self_attn.v_proj`, KEY_HEADS * size, HIDDEN, biases.input);
    tiny.linear(`${at}.self_attn.o_proj`, HIDDEN, HEADS * size, biases.output);
    if (headNorms) tiny.norm(`${at}.self_attn.q_norm`, size, { shift: false });
    if (headNorms) tiny.norm(`${at}.self_attn.k_norm`, size, { shift: false });
    tiny.norm(`${at}.post_attention_layernorm`, HIDDEN, { shift: false });
    tiny.linear(`${at}.mlp.gate_proj`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.up_proj`, INNER, HIDDEN, false);
    tiny.linear(`${at}.mlp.down_proj`, HIDDEN, INNER, false);
  }
  tiny.norm('norm', HIDDEN, { shift: false });
  return tiny;
}

function forward(tiny: TinyCheckpoint, { headNorms, epsilon, sees, turns }: Family, ids: readonly number[]): Rows {
  const plain = new PlainLayers(tiny.tensors);
  const words = plain.matrix('embed_tokens.weight');
  let hidden = ids.map((id) => words[id]!);
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `layers.${layer}`;
    const input = plain.rmsNorm(hidden, `${at}.input_layernorm`, epsilon);
    const [q, k, v] = ['q', 'k', 'v'].map((part) => plain.linear(input, `${at}.self_attn.${part}_proj`));
    const mixed = attend(q!, k!, v!, {
      heads: HEADS,
      keyHeads: KEY_HEADS,
      sees,
      prepare: (head, position, kind) => {
        const norm = `${at}.self_attn.${kind === 'query' ? 'q' : 'k'}_norm`;
        return turn(headNorms ? plain.rmsNorm([head], norm, epsilon)[0]! : head, position, turns);
      },
    });
    hidden = add(hidden, plain.linear(mixed, `${at}.self_attn.o_proj`));
    const next = plain.rmsNorm(hidden, `${at}.post_attention_layernorm`, epsilon);
    const [gate, up] = ['gate', 'up'].map((part) => plain.linear(next, `${at}.mlp.${part}_proj`));
    const gated = gate!.map((row, t) => row.map((x, d) => silu(x) * up![t]![d]!));
    hidden = add(hidden, plain.linear(gated, `${at}.mlp.down_proj`));
  }
  return plain.rmsNorm(hidden, 'norm', epsilon);
}

function pooled(states: Rows, pooling: Pooling): number[] {
  if (pooling === 'cls') return states[0]!;
  return pooling === 'mean' ? mean(states) : states[0]!.map((_, d) => Math.max(...states.map((row) => row[d]!)));
}

it.each(FAMILIES)('%s gives what plain arithmetic gives: %s pooling', async (name, pooling, family) => {
  const at = join(folder, `${name} ${pooling}`);
  const tiny = checkpoint(family);
  await tiny.write(at, config(family), pooling);
  const graph = await compileFolder(at, 'fp32', folder);
  expect(graph.warnings).toEqual([]);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const expected = pooled(forward(tiny, family, row), pooling);
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
});

it.each([
  ['qwen3', QWEN3],
  ['llama', LLAMA],
])('%s comes close in int8', async (name, family) => {
  const at = join(folder, `${name} int8`);
  const tiny = checkpoint(family);
  await tiny.write(at, config(family));
  const vectors = await runRows(await compileFolder(at, 'int8', folder), TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, family, row)))).toBeGreaterThan(0.99);
  }
});

it('refuses fp16, and says why', async () => {
  const at = join(folder, 'half');
  await checkpoint(QWEN3).write(at, config(QWEN3));
  await expect(compileFolder(at, 'fp16', folder)).rejects.toThrow(/fp16 is not served.*half precision.*use fp32/);
});

it.each<[string, Family, object, RegExp]>([
  ['layers with a window', QWEN3, { use_sliding_window: true }, /use_sliding_window is true/],
  ['a pattern of windows', QWEN3, { layer_types: ['sliding_attention'] }, /layer_types has sliding_attention/],
  ['code of its own', QWEN3, { auto_map: { AutoModel: 'modeling.Model' } }, /auto_map is/],
  ['another activation', LLAMA, { hidden_act: 'gelu' }, /hidden_act is "gelu"/],
  ['stretched positions', QWEN3, { rope_scaling: { type: 'yarn', factor: 4 } }, /rope_scaling is .*yarn/],
  [
    'Llama 3.1 with a setting that is not known',
    LLAMA,
    { rope_scaling: { ...LLAMA3, attention_factor: 2 } },
    /rope_scaling is .*only by "default", "llama3"/,
  ],
  [
    'a window in both directions',
    { ...LLAMA, modelType: 'mistral' },
    { sliding_window: 6, is_causal: false },
    /sliding_window is 6; Embedmill runs it only in causal models/,
  ],
])('refuses %s', async (name, family, members, message) => {
  const at = join(folder, name);
  await checkpoint(family).write(at, { ...config(family), ...members });
  await expect(readManifest(await filesInFolder(at, 'folder:test', 'fp32'))).rejects.toThrow(message);
});
