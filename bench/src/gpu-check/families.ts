import type { RuledTensor } from '../../../test/goldens/weights-by-rule.js';

/** A model of a family, with random weights. */
export interface Family {
  readonly name: string;
  /** `config.json`. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly pooling: 'cls' | 'mean' | 'lasttoken';
  readonly tensors: readonly RuledTensor[];
}

interface Sizes {
  readonly hidden: number;
  readonly inner: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyHeads: number;
  /** Channels of a head. */
  readonly size: number;
  readonly vocabulary: number;
}

/** Small enough to run on a CPU within seconds. */
const SMALL: Sizes = { hidden: 64, inner: 128, layers: 2, heads: 4, keyHeads: 2, size: 16, vocabulary: 1000 };
const POSITIONS = 512;

/** @param small whether with a few layers instead of the sizes of bert-base, ModernBERT-base and Qwen3-Embedding-0.6B */
export function families(small: boolean): Family[] {
  return [
    bert(small ? SMALL : { ...SMALL, hidden: 768, inner: 3072, layers: 12, heads: 12, vocabulary: 30_522 }),
    modernBert(small ? SMALL : { ...SMALL, hidden: 768, inner: 1152, layers: 22, heads: 12, vocabulary: 50_368 }),
    qwen3(
      small ? SMALL : { hidden: 1024, inner: 3072, layers: 28, heads: 16, keyHeads: 8, size: 128, vocabulary: 151_669 },
    ),
  ];
}

/** A matrix whose products keep the size of their input. */
const matrix = (name: string, outputs: number, inputs: number): RuledTensor => [
  name,
  [outputs, inputs],
  0,
  Math.ceil(Math.log2(Math.sqrt(3 / inputs))),
];
const bias = (name: string, size: number): RuledTensor => [name, [size], 0, -3];
const scale = (name: string, size: number): RuledTensor => [name, [size], 1, -2];
const linear = (name: string, outputs: number, inputs: number) => [
  matrix(`${name}.weight`, outputs, inputs),
  bias(`${name}.bias`, outputs),
];
const norm = (name: string, size: number) => [scale(`${name}.weight`, size), bias(`${name}.bias`, size)];
const perLayer = (layers: number, of: (index: number) => RuledTensor[]) =>
  Array.from({ length: layers }, (_, index) => of(index)).flat();

function common({ hidden, inner, layers, heads, vocabulary }: Sizes) {
  return {
    hidden_size: hidden,
    intermediate_size: inner,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    vocab_size: vocabulary,
    max_position_embeddings: POSITIONS,
    pad_token_id: 0,
  };
}

function bert(sizes: Sizes): Family {
  const { hidden, inner, layers, vocabulary } = sizes;
  return {
    name: 'BERT',
    config: { ...common(sizes), model_type: 'bert', type_vocab_size: 2 },
    pooling: 'cls',
    tensors: [
      ['embeddings.word_embeddings.weight', [vocabulary, hidden], 0, 0],
      ['embeddings.position_embeddings.weight', [POSITIONS, hidden], 0, -1],
      ['embeddings.token_type_embeddings.weight', [2, hidden], 0, -1],
      ...norm('embeddings.LayerNorm', hidden),
      ...perLayer(layers, (index) => {
        const at = `encoder.layer.${index}`;
        return [
          ...['query', 'key', 'value'].flatMap((part) => linear(`${at}.attention.self.${part}`, hidden, hidden)),
          ...linear(`${at}.attention.output.dense`, hidden, hidden),
          ...norm(`${at}.attention.output.LayerNorm`, hidden),
          ...linear(`${at}.intermediate.dense`, inner, hidden),
          ...linear(`${at}.output.dense`, hidden, inner),
          ...norm(`${at}.output.LayerNorm`, hidden),
        ];
      }),
    ],
  };
}

function modernBert(sizes: Sizes): Family {
  const { hidden, inner, layers, vocabulary } = sizes;
  return {
    name: 'ModernBERT',
    config: { ...common(sizes), model_type: 'modernbert' },
    pooling: 'mean',
    tensors: [
      ['embeddings.tok_embeddings.weight', [vocabulary, hidden], 0, 0],
      scale('embeddings.norm.weight', hidden),
      ...perLayer(layers, (index) => {
        const at = `layers.${index}`;
        return [
          ...(index === 0 ? [] : [scale(`${at}.attn_norm.weight`, hidden)]),
          matrix(`${at}.attn.Wqkv.weight`, 3 * hidden, hidden),
          matrix(`${at}.attn.Wo.weight`, hidden, hidden),
          scale(`${at}.mlp_norm.weight`, hidden),
          matrix(`${at}.mlp.Wi.weight`, 2 * inner, hidden),
          matrix(`${at}.mlp.Wo.weight`, hidden, inner),
        ];
      }),
      scale('final_norm.weight', hidden),
    ],
  };
}

function qwen3(sizes: Sizes): Family {
  const { hidden, inner, layers, heads, keyHeads, size, vocabulary } = sizes;
  return {
    name: 'Qwen3',
    config: {
      ...common(sizes),
      model_type: 'qwen3',
      num_key_value_heads: keyHeads,
      head_dim: size,
      rope_theta: 1_000_000,
    },
    pooling: 'lasttoken',
    tensors: [
      ['embed_tokens.weight', [vocabulary, hidden], 0, 0],
      ...perLayer(layers, (index) => {
        const at = `layers.${index}`;
        return [
          scale(`${at}.input_layernorm.weight`, hidden),
          matrix(`${at}.self_attn.q_proj.weight`, heads * size, hidden),
          matrix(`${at}.self_attn.k_proj.weight`, keyHeads * size, hidden),
          matrix(`${at}.self_attn.v_proj.weight`, keyHeads * size, hidden),
          matrix(`${at}.self_attn.o_proj.weight`, hidden, heads * size),
          scale(`${at}.self_attn.q_norm.weight`, size),
          scale(`${at}.self_attn.k_norm.weight`, size),
          scale(`${at}.post_attention_layernorm.weight`, hidden),
          matrix(`${at}.mlp.gate_proj.weight`, inner, hidden),
          matrix(`${at}.mlp.up_proj.weight`, inner, hidden),
          matrix(`${at}.mlp.down_proj.weight`, hidden, inner),
        ];
      }),
      scale('norm.weight', hidden),
    ],
  };
}
