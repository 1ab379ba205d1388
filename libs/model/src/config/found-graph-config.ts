import { z } from 'zod';
import { type JsonFile, parseFile } from './closed-file.js';

/** Members of `config.json` that say how to call a graph that was found, and what its outputs are. */
const members = z.object({
  hidden_size: z.int().positive(),
  num_attention_heads: z.int().positive().nullish(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  vocab_size: z.int().positive().nullish(),
});

export interface FoundGraphConfig {
  /** Of a decoder's cache; null: not given. */
  readonly cache: { readonly heads: number | null; readonly headSize: number | null };
  /** Number of different tokens; null: not given. */
  readonly vocabulary: number | null;
}

/** @throws BootError, one line, for a member of another type */
export function readFoundGraphConfig(file: JsonFile): FoundGraphConfig {
  const { head_dim, hidden_size, num_attention_heads, num_key_value_heads, vocab_size } = parseFile(file, members);
  const byHeads = num_attention_heads ? hidden_size / num_attention_heads : null;
  return {
    cache: { heads: num_key_value_heads ?? num_attention_heads ?? null, headSize: head_dim ?? byHeads },
    vocabulary: vocab_size ?? null,
  };
}
