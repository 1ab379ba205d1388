import type { FoundValue } from './found-graph.js';

const FLOATS: readonly string[] = ['FLOAT', 'FLOAT16', 'DOUBLE', 'BFLOAT16'];

/** Names of outputs with one vector per text, in order of preference. */
const POOLED = [
  'sentence_embedding',
  'sentence_embeddings',
  'embedding',
  'embeddings',
  'text_embeds',
  'text_embeddings',
  'dense_vecs',
];
/** Names of outputs with one vector per token, in order of preference. */
const HIDDEN = ['last_hidden_state', 'token_embeddings', 'hidden_states'];
/** Output of BERT's own head, which is not the model's pooling; a decoder's cache; scores of classes or of words. */
const NEVER = /^pooler_output$|^present(\.|$)|logits/;

/** What to look for among a graph's outputs. */
export interface Wanted {
  /** Length of a vector that has been through the model's Dense modules; null: it has none. */
  readonly denseWidth: number | null;
  /** Whether the pooling is to be the given one, so that hidden states are wanted even beside a pooled output. */
  readonly ownPooling: boolean;
  /** Scores of words have one number for each; null: unknown. */
  readonly vocabulary: number | null;
}

/** The output to use. */
export interface ChosenOutput {
  readonly kind: 'pooled' | 'hidden';
  readonly name: string;
  /** ONNX's name of its type. */
  readonly type: string;
  /** Floats in its last dimension. */
  readonly width: number;
}

/**
 * Chooses the output of a graph: a vector per text of a known name; else hidden states, of a known name or the only
 * ones; else, in a graph without hidden states, the only vector per text.
 * @returns `unclear` when the file says too little about the outputs: they must be looked at in a run
 */
export function chooseOutput(outputs: readonly FoundValue[], wanted: Wanted): ChosenOutput | 'unclear' | null {
  const candidates = outputs.filter(({ name, type }) => !NEVER.test(name) && (type === null || FLOATS.includes(type)));
  if (candidates.some(({ dims, type }) => type === null || dims === null || dims.length === 0)) return 'unclear';
  const of = (rank: number) => candidates.filter(({ dims }) => dims!.length === rank);
  const named = (rank: number, names: readonly string[]) =>
    names.flatMap((name) => of(rank).filter((one) => one.name === name));
  const single = (rank: number) => (of(rank).length === 1 ? of(rank) : []);

  const pooled = named(2, POOLED);
  const areScores = (one: FoundValue) => wanted.vocabulary !== null && widthOf(one) === wanted.vocabulary;
  const hidden = [...named(3, HIDDEN), ...single(3).filter((one) => !areScores(one))];
  const others = of(3).length === 0 ? single(2) : [];
  const first = wanted.ownPooling ? [...hidden, ...pooled] : [...pooled, ...hidden];
  for (const value of [...first, ...others]) {
    const width = widthOf(value);
    if (width === null) return 'unclear';
    const kind = value.dims!.length === 3 ? 'hidden' : 'pooled';
    // A vector of another length was pooled, but not sent through the Dense modules.
    if (kind === 'pooled' && wanted.denseWidth !== null && width !== wanted.denseWidth) continue;
    return { kind, name: value.name, type: value.type!, width };
  }
  return null;
}

/**
 * The output that versions before this one took, if it was another one: hidden states had to be the only choice, and a
 * pooling in models.json had no effect. Their vectors are cached under fingerprints that say nothing of outputs.
 */
export function onceChosen(outputs: readonly FoundValue[], { kind, name }: ChosenOutput): string | null {
  if (kind === 'pooled') return null;
  const ranked = outputs.filter(({ dims }) => dims?.length === 2);
  const known = ranked.find((one) => POOLED_ONCE.includes(one.name));
  const others = ranked.filter((one) => one.name !== 'pooler_output');
  const once = known ?? (others.length === 1 ? others[0] : undefined);
  return once === undefined || once.name === name ? null : once.name;
}

const POOLED_ONCE = ['sentence_embedding', 'embedding', 'embeddings', 'text_embeds'];

function widthOf({ dims }: FoundValue): number | null {
  const last = dims?.at(-1);
  return typeof last === 'number' ? last : null;
}
