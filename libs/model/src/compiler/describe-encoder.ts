import { BootError } from '#contracts';
import { parseFile, type JsonFile } from '../config/closed-file.js';
import { commonMembers } from '../config/transformers.js';
import { z } from 'zod';
import type { Architecture, Encoder, EncoderShape } from './architectures/architecture.js';
import { plainAttention } from './layers/attention-memory.js';
import { ARCHITECTURES } from './architectures/index.js';

/** The files from which a model can be run. */
export interface Available {
  /** Name of the model's source in messages. */
  readonly source: string;
  readonly weights: boolean;
  readonly onnx: boolean;
}

export interface DescribedEncoder {
  /** The architecture's name, or `other`; part of the fingerprint. */
  readonly architecture: string;
  readonly shape: EncoderShape;
  /** Writes the model's graph; null when its ONNX file is used. */
  readonly encoder: Encoder | null;
  readonly warnings: readonly string[];
}

/** Channels of a head where `config.json` does not say how many heads there are. */
const USUAL_HEAD_SIZE = 64;

/** Families without a compiler whose positions are counted from after the padding id, as RoBERTa's are. */
const AFTER_PADDING = ['data2vec-text', 'ibert', 'longformer', 'roberta-prelayernorm', 'xlm-roberta-xl', 'xmod'];

/**
 * Decides whether a model's graph is compiled from its weights or its ONNX file is used. It is compiled if there are
 * weights and a registered architecture accepts its `config.json`.
 * @throws BootError, one line, when neither is possible
 */
export function describeEncoder(
  file: JsonFile,
  { source, weights, onnx }: Available,
  architectures: readonly Architecture[] = ARCHITECTURES,
): DescribedEncoder {
  const config = parseFile(
    file,
    z.object({
      ...commonMembers,
      num_attention_heads: z.int().positive().nullish().catch(null),
      head_dim: z.unknown().optional(),
    }),
  );
  const heads = config.num_attention_heads ?? Math.ceil(config.hidden_size / USUAL_HEAD_SIZE);
  const modelType = config.model_type ?? '';
  const positionType = config.position_embedding_type ?? 'absolute';
  const found = architectures.find(
    ({ modelTypes, positionTypes }) => modelTypes.includes(modelType) && positionTypes.includes(positionType),
  );
  if (found === undefined) {
    if (!onnx) {
      const known = [...new Set(architectures.flatMap(({ modelTypes }) => modelTypes))].join(', ');
      throw new BootError(
        `${source}: ${file.path}: model_type "${modelType}" with position_embedding_type "${positionType}" has no ` +
          `compiler (${known} with "absolute" have), and there is no ONNX file for this dtype`,
      );
    }
    const shape: EncoderShape = {
      hiddenSize: config.hidden_size,
      positions: config.max_position_embeddings ?? Infinity,
      firstPosition: AFTER_PADDING.includes(modelType) ? (config.pad_token_id ?? 1) + 1 : 0,
      padTokenId: config.pad_token_id ?? 0,
      attention: () => plainAttention(heads),
    };
    return { architecture: 'other', shape, encoder: null, warnings: [] };
  }
  const { value: encoder, refusals: ofArchitecture, warnings } = found.read(file);
  const refusals = [...ofArchitecture, ...unevenHeads(file, config)];
  const [refusal] = refusals;
  if (weights && refusal === undefined) return { architecture: found.name, shape: encoder, encoder, warnings };
  if (!onnx) throw new BootError(`${source}: ${refusal ?? 'no weights'}`);
  const instead = weights ? refusals.map((one) => `${one}; its ONNX file is used as found`) : [];
  const shape = { ...encoder, attention: () => plainAttention(heads) };
  return { architecture: found.name, shape, encoder: null, warnings: instead };
}

/** Channels are shared out among the heads, unless a head's size is given. */
function unevenHeads(
  { path }: JsonFile,
  { head_dim: size, hidden_size: hidden, num_attention_heads: heads }: EncoderSizes,
): string[] {
  if (!heads || typeof size === 'number' || hidden % heads === 0) return [];
  return [`${path}: num_attention_heads is ${heads}, which does not divide hidden_size ${hidden}`];
}

interface EncoderSizes {
  readonly hidden_size: number;
  readonly num_attention_heads?: number | null | undefined;
  readonly head_dim?: unknown;
}
