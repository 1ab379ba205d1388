import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Dtype } from '#contracts';
import { compileFolder, cosine, runRows, TINY_ROWS } from '../../../../../test/support/encoder-check.js';
import { attend, frequencies, mean, PlainLayers, turn, type Rows } from '../../../../../test/support/plain-layers.js';
import { activate, add } from '../../../../../test/support/reference-forward.js';
import { TinyCheckpoint } from '../../../../../test/support/tiny-checkpoint.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-modernbert-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const [HIDDEN, INNER, LAYERS] = [32, 48, 4];

const CONFIG = {
  architectures: ['ModernBertModel'],
  model_type: 'modernbert',
  vocab_size: 60,
  hidden_size: HIDDEN,
  num_hidden_layers: LAYERS,
  num_attention_heads: 2,
  intermediate_size: INNER,
  max_position_embeddings: 64,
  norm_eps: 1e-5,
  layer_norm_eps: 1e-5,
  pad_token_id: 0,
  position_embedding_type: 'absolute',
  local_attention: 8,
};

function checkpoint(biased = false): TinyCheckpoint {
  const tiny = new TinyCheckpoint();
  tiny.tensor('model.embeddings.tok_embeddings.weight', [60, HIDDEN], 1);
  tiny.norm('model.embeddings.norm', HIDDEN, { shift: biased });
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `model.layers.${layer}`;
    if (layer > 0) tiny.norm(`${at}.attn_norm`, HIDDEN, { shift: biased });
    tiny.linear(`${at}.attn.Wqkv`, 3 * HIDDEN, HIDDEN, biased);
    tiny.linear(`${at}.attn.Wo`, HIDDEN, HIDDEN, biased);
    tiny.norm(`${at}.mlp_norm`, HIDDEN, { shift: biased });
    tiny.linear(`${at}.mlp.Wi`, 2 * INNER, HIDDEN, biased);
    tiny.linear(`${at}.mlp.Wo`, HIDDEN, INNER, biased);
  }
  tiny.norm('model.final_norm', HIDDEN, { shift: biased });
  return tiny;
}

interface Pattern {
  readonly heads: number;
  readonly isGlobal: (layer: number) => boolean;
  readonly globalTheta: number;
  readonly localTheta: number;
}

const PATTERN: Pattern = { heads: 2, isGlobal: (layer) => layer % 3 === 0, globalTheta: 160_000, localTheta: 10_000 };

function forward(
  tiny: TinyCheckpoint,
  ids: readonly number[],
  { heads, isGlobal, globalTheta, localTheta } = PATTERN,
): Rows {
  const plain = new PlainLayers(tiny.tensors);
  const words = plain.matrix('model.embeddings.tok_embeddings.weight');
  let hidden = plain.layerNorm(
    ids.map((id) => words[id]!),
    'model.embeddings.norm',
    1e-5,
  );
  for (let layer = 0; layer < LAYERS; layer++) {
    const at = `model.layers.${layer}`;
    const everything = isGlobal(layer);
    const turns = frequencies(everything ? globalTheta : localTheta, HIDDEN / heads);
    const packed = plain.linear(
      layer === 0 ? hidden : plain.layerNorm(hidden, `${at}.attn_norm`, 1e-5),
      `${at}.attn.Wqkv`,
    );
    const [q, k, v] = [0, 1, 2].map((part) => packed.map((row) => row.slice(part * HIDDEN, (part + 1) * HIDDEN)));
    const mixed = attend(q!, k!, v!, {
      heads,
      keyHeads: heads,
      sees: (from, to) => everything || Math.abs(from - to) <= 4,
      prepare: (head, position) => turn(head, position, turns),
    });
    hidden = add(hidden, plain.linear(mixed, `${at}.attn.Wo`));
    const wide = plain.linear(plain.layerNorm(hidden, `${at}.mlp_norm`, 1e-5), `${at}.mlp.Wi`);
    const gated = wide.map((row) => row.slice(0, INNER).map((x, d) => activate(x, 'gelu') * row[INNER + d]!));
    hidden = add(hidden, plain.linear(gated, `${at}.mlp.Wo`));
  }
  return plain.layerNorm(hidden, 'model.final_norm', 1e-5);
}

it.each([
  ['mean', 'without biases', false, 2],
  // Heads of 8 channels, which the operator does not turn by itself.
  ['cls', 'with biases and small heads', true, 4],
] as const)('gives what plain arithmetic gives: %s pooling, %s', async (pooling, _which, biased, heads) => {
  const at = join(folder, `plain-${pooling}`);
  const tiny = checkpoint(biased);
  const biases = { attention_bias: biased, mlp_bias: biased, norm_bias: biased };
  await tiny.write(at, { ...CONFIG, ...biases, num_attention_heads: heads }, pooling);
  const graph = await compileFolder(at, 'fp32', folder);
  const vectors = await runRows(graph, TINY_ROWS);
  for (const [r, row] of TINY_ROWS.entries()) {
    const states = forward(tiny, row, { ...PATTERN, heads });
    const expected = pooling === 'mean' ? mean(states) : states[0]!;
    vectors[r]!.forEach((value, d) => expect(value).toBeCloseTo(expected[d]!, 4));
    const [alone] = await runRows(graph, [row]);
    expect(cosine(alone!, expected)).toBeGreaterThan(0.999_999);
  }
});

it('gives what plain arithmetic gives for a text far longer than the window, beside a short one', async () => {
  const at = join(folder, 'long-text');
  const tiny = checkpoint();
  await tiny.write(at, { ...CONFIG, max_position_embeddings: 150 });
  const rows = [Array.from({ length: 150 }, (_, t) => 2 + ((t * t) % 57)), [2, 9, 3]];
  const vectors = await runRows(await compileFolder(at, 'fp32', folder), rows);
  for (const [r, row] of rows.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row)))).toBeGreaterThan(0.999_999);
  }
});

it("reads the settings of transformers 5: a pattern of layers, and each kind's theta", async () => {
  const at = join(folder, 'version-5');
  const tiny = checkpoint();
  await tiny.write(at, {
    ...CONFIG,
    layer_types: ['sliding_attention', 'full_attention', 'sliding_attention', 'full_attention'],
    rope_parameters: {
      full_attention: { rope_type: 'default', rope_theta: 500 },
      sliding_attention: { rope_type: 'default', rope_theta: 20 },
    },
  });
  const vectors = await runRows(await compileFolder(at, 'fp32', folder), TINY_ROWS);
  const pattern: Pattern = { heads: 2, isGlobal: (layer) => layer % 2 === 1, globalTheta: 500, localTheta: 20 };
  for (const [r, row] of TINY_ROWS.entries()) {
    expect(cosine(vectors[r]!, mean(forward(tiny, row, pattern)))).toBeGreaterThan(0.999_999);
    if (row.length > 2) expect(cosine(vectors[r]!, mean(forward(tiny, row)))).toBeLessThan(0.9999);
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

it.each<[string, object, RegExp]>([
  ['scaled positions', { rope_scaling: { type: 'linear', factor: 2 } }, /rope_scaling is/],
  [
    'scaled positions of transformers 5',
    { rope_parameters: { full_attention: { rope_type: 'yarn', rope_theta: 100, factor: 4 } } },
    /rope_parameters is .*yarn.*only by "default"/,
  ],
  ['another activation', { hidden_activation: 'relu' }, /hidden_activation is "relu"/],
])('refuses %s', async (name, members, message) => {
  const at = join(folder, name);
  await checkpoint().write(at, { ...CONFIG, ...members });
  await expect(readManifest(await filesInFolder(at, 'folder:test', 'fp32'))).rejects.toThrow(message);
});

it('serves 8,192 positions of a model that has more, and says so', async () => {
  const at = join(folder, 'long');
  await checkpoint().write(at, { ...CONFIG, max_position_embeddings: 32_768 });
  const manifest = await readManifest(await filesInFolder(at, 'folder:test', 'fp32'));
  expect(manifest.maxTokens).toBe(8192);
  expect(manifest.warnings).toEqual([
    expect.stringContaining('the model has 32768 positions; Embedmill serves 8192') as unknown,
  ]);
});
