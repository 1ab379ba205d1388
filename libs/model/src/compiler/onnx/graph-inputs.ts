import { BootError } from '#contracts';
import type { ExtraInput } from '../../types.js';
import type { FoundValue } from './found-graph.js';

const TOKEN_INPUTS = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];

/** A decoder's cache of the texts before this one, of which there are none. */
const PAST = /^past_key_values\.\d+\.(key|value)$/;
/** Chooses between the two halves of a decoder's merged graph: with and without a cache. */
const USE_PAST = 'use_cache_branch';
const TASK = 'task_id';

/** What `config.json` says of a decoder's cache, where its graph does not; null: nothing. */
export interface CacheShape {
  readonly heads: number | null;
  readonly headSize: number | null;
}

/** How to fill a graph's inputs. */
export interface GraphInputs {
  /** Those made of the tokens: some of `TOKEN_INPUTS`. */
  readonly inputs: readonly string[];
  readonly extraInputs: readonly ExtraInput[];
  /** Sizes that the graph was exported for; null: any. */
  readonly rows: number | null;
  readonly tokens: number | null;
}

export interface InputSources {
  /** Name of the model's source, for messages. */
  readonly source: string;
  readonly cache: CacheShape;
  /** Number of the task to run; null: none was set. */
  readonly task: number | null;
  /** Names of the model's tasks. */
  readonly tasks: readonly string[];
}

/**
 * @throws BootError, one line, for an input that cannot be filled
 */
export function readInputs(values: readonly FoundValue[], { cache, source, task, tasks }: InputSources): GraphInputs {
  const refuse = (what: string): never => {
    throw new BootError(`${source}: its ONNX graph ${what}`);
  };
  const tokenInputs = values.filter(({ name }) => TOKEN_INPUTS.includes(name));
  for (const { dims, name, type } of tokenInputs) {
    if (dims !== null && dims.length !== 2) refuse(`wants ${name} as ${shown(dims)}, not as [rows, tokens]`);
    if (type !== null && type !== 'INT64' && type !== 'INT32')
      refuse(`wants ${name} in another type than int64 or int32`);
  }
  if (!tokenInputs.some(({ name }) => name === 'input_ids')) refuse('has no input "input_ids"');

  const extraInputs = values.flatMap((value): ExtraInput[] => {
    const { dims, name, type } = value;
    if (TOKEN_INPUTS.includes(name)) return [];
    if (PAST.test(name)) return [emptyCache(value, cache, refuse)];
    if (name === USE_PAST && type === 'BOOL') return [{ name, type: 'bool', dims: batchDims(dims ?? [1]), value: 0 }];
    if (name !== TASK) return refuse(`wants an input "${name}"`);
    if (task === null) {
      const names = tasks.length === 0 ? 'a number' : `one of ${tasks.map((one) => JSON.stringify(one)).join(', ')}`;
      return refuse(`wants a ${TASK}: set "task" for it in models.json (EMBED_MODELS_FILE), ${names}`);
    }
    return [{ name, type: type === 'INT32' ? 'int32' : 'int64', dims: batchDims(dims ?? []), value: task }];
  });
  if (task !== null && !extraInputs.some(({ name }) => name === TASK)) {
    refuse(`has no input ${TASK}, but models.json sets "task" for it`);
  }
  // The mask's second size may be that of cache and text together, which is the text's.
  const fixed = (axis: number): number | null => {
    const sizes = new Set(tokenInputs.map(({ dims }) => dims?.[axis]).filter((size) => typeof size === 'number'));
    if (sizes.size > 1) refuse(`has inputs of different fixed sizes: ${[...sizes].join(' and ')}`);
    return [...sizes][0] ?? null;
  };
  return { inputs: tokenInputs.map(({ name }) => name), extraInputs, rows: fixed(0), tokens: fixed(1) };
}

/** `[rows, heads, 0, head size]`. */
function emptyCache(
  { dims, name, type }: FoundValue,
  { heads, headSize }: CacheShape,
  refuse: (what: string) => never,
): ExtraInput {
  if (type !== 'FLOAT' && type !== 'FLOAT16') refuse(`wants ${name} in another type than float or float16`);
  if (dims !== null && dims.length !== 4) {
    refuse(`wants ${name} as ${shown(dims)}, not as [rows, heads, tokens, head size]`);
  }
  const [rows, ownHeads, past, ownSize] = dims ?? [];
  if (typeof past === 'number') refuse(`wants ${name} of ${past} earlier tokens, but there are none`);
  const sizes = { heads: numberOr(ownHeads, heads), size: numberOr(ownSize, headSize) };
  if (sizes.heads === null || sizes.size === null) {
    return refuse(
      `wants ${name}, whose sizes neither it nor config.json gives (num_key_value_heads or num_attention_heads, head_dim)`,
    );
  }
  return {
    name,
    type: type === 'FLOAT16' ? 'float16' : 'float',
    dims: [typeof rows === 'number' ? rows : 'rows', sizes.heads, 0, sizes.size],
    value: 0,
  };
}

function numberOr(size: number | string | null | undefined, otherwise: number | null): number | null {
  return typeof size === 'number' ? size : otherwise;
}

/** A variable size of an input that has no tokens is the number of rows. */
function batchDims(dims: readonly (number | string | null)[]): (number | 'rows')[] {
  return dims.map((dim) => (typeof dim === 'number' ? dim : 'rows'));
}

function shown(dims: readonly (number | string | null)[]): string {
  return `[${dims.map((dim) => dim ?? '?').join(', ')}]`;
}
