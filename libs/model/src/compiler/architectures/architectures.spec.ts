import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ort from 'onnxruntime-node';
import { BootError } from '#contracts';
import { makeBertModel, makeXlmRobertaModel } from '../../../../../test/support/random-model.js';
import { referenceForward } from '../../../../../test/support/reference-forward.js';
import { readClosed, readJson } from '../../config/closed-file.js';
import { encoderConfig } from '../../config/transformers.js';
import { readManifest } from '../../manifest.js';
import { filesInFolder } from '../../resolve/folder.js';
import { compileModel } from '../compile-model.js';
import { describeEncoder } from '../describe-encoder.js';
import { poolingHead } from '../heads/pooling.js';
import { noAttention } from '../layers/attention-memory.js';
import { addEmbeddings } from '../layers/embeddings.js';
import { NamedWeights } from '../weights/named-weights.js';
import type { Architecture } from './architecture.js';
import { ARCHITECTURES } from './index.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'embedmill-architectures-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A random model with other members in its `config.json`. */
async function model(name: string, members: object, make = makeBertModel): Promise<string> {
  const at = join(folder, name);
  await make(at, { pooling: 'mean' });
  const path = join(at, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8')) as object;
  await writeFile(path, JSON.stringify({ ...config, ...members }));
  return at;
}

it('no two architectures claim the same config.json', () => {
  const claims = ARCHITECTURES.flatMap(({ modelTypes, positionTypes }) =>
    modelTypes.flatMap((type) => positionTypes.map((positions) => `${type} ${positions}`)),
  );
  expect(new Set(claims).size).toBe(claims.length);
  expect(new Set(ARCHITECTURES.map(({ name }) => name)).size).toBe(ARCHITECTURES.length);
});

it('an architecture needs nothing but its file and its line in the registry', async () => {
  // Embeddings without any layer: what is left of BERT when it has none.
  const bag: Architecture = {
    name: 'bag',
    modelTypes: ['bag-of-words'],
    positionTypes: ['absolute'],
    read(config) {
      const { value, ...told } = readClosed(
        config,
        encoderConfig({ used: {}, only: {}, harmless: ['num_hidden_layers', 'num_attention_heads'] }),
      );
      return {
        ...told,
        value: {
          hiddenSize: value.hidden_size,
          positions: value.max_position_embeddings ?? Infinity,
          firstPosition: 0,
          padTokenId: 0,
          attention: noAttention,
          async build(graph, reader, { tokenTypes }) {
            const weights = new NamedWeights(reader, 'bag.', 'embeddings.word_embeddings.weight');
            return addEmbeddings(
              graph,
              {
                words: await weights.tensor('embeddings.word_embeddings.weight'),
                positions: await weights.tensor('embeddings.position_embeddings.weight'),
                types: await weights.tensor('embeddings.token_type_embeddings.weight'),
                norm: await weights.norm('embeddings.LayerNorm'),
                epsilon: 1e-5,
              },
              tokenTypes,
            );
          },
        },
      };
    },
  };
  const at = await model('bag', { model_type: 'bert' });
  const files = await filesInFolder(at, 'folder:test', 'fp32');
  const manifest = await readManifest(files);
  const reference = await model('bag-reference', { num_hidden_layers: 0 });
  await model('bag', { model_type: 'bag-of-words' });

  const described = describeEncoder(await readJson(files.config!), { source: 'test', weights: true, onnx: false }, [
    ...ARCHITECTURES,
    bag,
  ]);
  expect(described.architecture).toBe('bag');
  const { onnxPath, graph } = await compileModel(
    files,
    { ...manifest, architecture: described.architecture },
    described.encoder!,
    { dtype: 'fp32', modelDir: join(folder, 'compiled'), head: poolingHead('mean') },
  );
  const row = [2, 5, 9, 40, 3];
  const session = await ort.InferenceSession.create(onnxPath, { intraOpNumThreads: 1 });
  const result = await session.run({
    input_ids: new ort.Tensor('int64', BigInt64Array.from(row, BigInt), [1, row.length]),
    attention_mask: new ort.Tensor('int64', new BigInt64Array(row.length).fill(1n), [1, row.length]),
  });
  await session.release();
  const vector = result[graph.output]!.data as Float32Array;
  referenceForward(reference, row, { pooling: 'mean' }).forEach((value, d) => expect(vector[d]).toBeCloseTo(value, 5));
});

it.each<[string, object, RegExp]>([
  ['a decoder', { is_decoder: true }, /config\.json: is_decoder is true; Embedmill runs a model only with false/],
  ['cross-attention', { add_cross_attention: true }, /config\.json: add_cross_attention is true/],
  ['pruned heads', { pruned_heads: { 0: [1] } }, /config\.json: pruned_heads is \{"0":\[1\]\}/],
  ['quantised weights', { quantization_config: { bits: 8 } }, /config\.json: quantization_config is/],
  ['relative positions', { position_embedding_type: 'relative_key' }, /position_embedding_type "relative_key" has no/],
  ['another architecture', { model_type: 'deberta' }, /model_type "deberta".*bert, roberta, xlm-roberta, camembert, d/],
])('refuses %s when there are only weights, naming file, member and value', async (name, members, message) => {
  const files = await filesInFolder(await model(name, members), 'folder:test', 'fp32');
  const refused = readManifest(files);
  await expect(refused).rejects.toThrow(message);
  await expect(refused).rejects.toBeInstanceOf(BootError);
});

it('uses the ONNX file of a model that it cannot compile, and says why', async () => {
  const at = await model('decoder with ONNX', { is_decoder: true }, makeXlmRobertaModel);
  const files = { ...(await filesInFolder(at, 'folder:test', 'fp32')), onnx: join(at, 'model.onnx') };
  expect(await readManifest(files)).toMatchObject({
    architecture: 'roberta',
    encoder: null,
    maxTokens: 64,
    padTokenId: 1,
    firstPosition: 2,
    warnings: [expect.stringMatching(/is_decoder is true.*its ONNX file is used/) as unknown],
  });
});

it('warns of members it has never heard of, unless they say nothing', async () => {
  const at = await model('unknown members', {
    rotary_base: 10_000,
    use_something: false,
    nothing: null,
    empty: {},
    chunk_size_feed_forward: 2,
  });
  const { encoder, warnings } = await readManifest(await filesInFolder(at, 'folder:test', 'fp32'));
  expect(encoder).not.toBeNull();
  expect(warnings).toEqual([
    `${join(at, 'config.json')}: rotary_base is 10000; Embedmill does not know it and goes on without`,
  ]);
});
