import { type ModelCard, type Operation, rowFloats, rowsOfFloats } from '#contracts';
import { SimulatedDevice } from '#inference/testing';
import { Engine } from '#inference';
import type { Encoded, RunnableModel, Tokenizer } from '#model';
import { z } from 'zod';
import type { OutputShape } from '../../apps/api/src/output/output-shape.js';
import type { ModelSource } from '../../apps/worker/src/process/model-source.js';

/** A pair of texts. */
export const pairSchema = z.object({ query: z.string(), document: z.string() });
export type Pair = z.infer<typeof pairSchema>;

/**
 * An operation that the product does not have: one float for a pair. With the shape below it is all that a second kind of
 * work needs, beside a head in the compiler.
 */
export const score: Operation<Pair> = {
  name: 'score',
  input: pairSchema,
  key: ({ query, document }) => JSON.stringify([query, document]),
  bytes: ({ query, document }) => Buffer.byteLength(query) + Buffer.byteLength(document),
  texts: ({ query, document }) => [query, document],
  isServedBy: ({ operations }) => operations['score'] !== undefined,
  rowBytes: () => rowsOfFloats(1),
  example: { query: 'what is a mill', document: 'a building where grain is ground' },
};

/** Scores in answers: `"score":0.5`, doubled when the request says so. */
export const scoreShape: OutputShape = {
  operation: 'score',
  plan: ({ doubled }) => ({ doubled: doubled === true }),
  describe: ({ doubled }) => ({ doubled }),
  writer: ({ output }) => {
    const valueOf = (row: Buffer) => rowFloats(row)[0]! * (output['doubled'] === true ? 2 : 1);
    return {
      object: 'score',
      member: 'score',
      width: 1,
      json: (row) => JSON.stringify(valueOf(row)),
      into: (row, target) => void target.fill(valueOf(row)),
    };
  },
};

const SEPARATOR = 0;

/** Ids are UTF-16 units; of a pair the second text is segment 1. */
class PairTokenizer implements Tokenizer {
  async encode(inputs: Parameters<Tokenizer['encode']>[0]): Promise<Encoded[]> {
    return inputs.map(([text, pair = '']) => {
      const [first, second] = [idsOf(text), idsOf(pair)];
      const ids = Int32Array.from([...first, SEPARATOR, ...second]);
      const types = Int32Array.from(ids, (_, at) => Number(at > first.length));
      return { ids, types, length: ids.length, truncated: false };
    });
  }

  async close(): Promise<void> {}
}

function idsOf(text: string): number[] {
  return Array.from({ length: text.length }, (_, at) => 1 + text.charCodeAt(at));
}

/** Models that score pairs, on a device that computes nothing; `batches` is told of every batch's rows. */
export function scoringModels(onBatch: (rows: number) => void): ModelSource {
  return {
    load: async ({ name, source }): Promise<RunnableModel> => {
      const card: ModelCard = {
        name,
        fingerprint: 'scores-pairs',
        source,
        dtype: 'fp32',
        maxTokens: 512,
        prompts: {},
        operations: { score: {} },
        createdAt: Date.now(),
      };
      const graph = { inputs: [], output: '', width: 1 };
      const attention = { perRow: 0, perBatch: 0, bytes: 0 };
      const tokenizerFiles = { tokenizer: {}, config: {} };
      return { card, padTokenId: 0, attention, tokenizerFiles, onnxPath: '', graph, warnings: [] };
    },
    start: async ({ card: { maxTokens } }) => {
      const engine = new Engine({
        tokenizer: new PairTokenizer(),
        device: new SimulatedDevice({ width: 1, batchMs: 0, tokenMs: 0 }),
        maxTokens,
        tokenBudget: 4096,
        maxRows: 64,
        lookaheadTexts: 256,
        bulkShare: 0.2,
      });
      engine.onBatch(({ rows }) => onBatch(rows));
      return engine;
    },
  };
}
