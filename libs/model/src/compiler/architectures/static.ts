import { noAttention } from '../layers/attention-memory.js';
import { BootError } from '#contracts';
import type { Tensor } from '../weights/weights-reader.js';
import { WeightsReader } from '../weights/weights-reader.js';
import type { Encoder } from './architecture.js';

/** Part of fingerprints, so it must never change. */
export const STATIC_NAME = 'static';

/**
 * A static model: a table with a vector for each token, of which a text's vector is the mean. sentence-transformers'
 * StaticEmbedding keeps it as `embedding.weight`; model2vec as `embeddings`, with `mapping`, the row of each token,
 * where tokens share rows, and `weights`, a factor for each token.
 *
 * The graph's table has one more row, of zeros: that of padding, and of texts without any token.
 * @throws BootError, one line, when the files have no such table
 */
export async function staticEncoder(paths: readonly string[]): Promise<Encoder> {
  const reader = await WeightsReader.open(paths);
  try {
    const source = paths.join(', ');
    const name = TABLES.find((one) => reader.has(one));
    if (name === undefined) throw new BootError(`${source}: there is neither "${TABLES.join('" nor "')}"`);
    const [rows = 0, size = 0, ...more] = reader.shape(name);
    if (rows * size === 0 || more.length > 0) {
      throw new BootError(`${source}: "${name}" is [${reader.shape(name).join(', ')}], not a row for each token`);
    }
    const perToken = name === PLAIN ? [] : OPTIONAL.filter((one) => reader.has(one));
    const mapped = perToken.includes('mapping');
    const tokens = mapped ? reader.shape('mapping')[0]! : rows;
    for (const one of perToken) {
      if (reader.shape(one).join() === String(tokens)) continue;
      throw new BootError(`${source}: "${one}" is [${reader.shape(one).join(', ')}], not [${tokens}]`);
    }
    return {
      hiddenSize: size,
      positions: Infinity,
      firstPosition: 0,
      padTokenId: tokens,
      attention: noAttention,
      fp32Only: 'a table of vectors has no products of matrices to make faster',
      async build(graph, weights) {
        const table = await readTable(weights, name, perToken, [tokens, size], source);
        const words = await graph.weight('words', [tokens + 1, size], table);
        return { hidden: graph.node('Gather', 'hidden', [words, graph.input('input_ids')]) };
      },
    };
  } finally {
    await reader.close();
  }
}

const PLAIN = 'embedding.weight';
/** In the order in which sentence-transformers looks for them. */
const TABLES = [PLAIN, 'embeddings'] as const;
/** Of model2vec: a number for each token. */
const OPTIONAL = ['mapping', 'weights'] as const;

/** `[tokens + 1, size]`: each token's row times its factor, and a row of zeros. */
async function readTable(
  reader: WeightsReader,
  name: string,
  perToken: readonly string[],
  [tokens, size]: readonly [number, number],
  source: string,
): Promise<Float32Array> {
  const read = async (part: string): Promise<Float32Array | null> =>
    perToken.includes(part) ? (await reader.readNumbers(part)).data : null;
  const { data, shape }: Tensor = await reader.readNumbers(name);
  const [mapping, factors] = [await read('mapping'), await read('weights')];
  const table = new Float32Array((tokens + 1) * size);
  for (let token = 0; token < tokens; token++) {
    const row = mapping === null ? token : mapping[token]!;
    if (row < 0 || row >= shape[0]!) throw new BootError(`${source}: "mapping" has row ${row} of ${shape[0]}`);
    const factor = factors === null ? 1 : factors[token]!;
    for (let at = 0; at < size; at++) table[token * size + at] = data[row * size + at]! * factor;
  }
  return table;
}
