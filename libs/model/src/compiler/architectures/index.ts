import { albert } from './albert.js';
import type { Architecture } from './architecture.js';
import { bert } from './bert.js';
import { distilbert } from './distilbert.js';
import { electra } from './electra.js';
import { eurobert } from './eurobert.js';
import { gemma3 } from './gemma3.js';
import { gte } from './gte.js';
import { jinaBert } from './jina-bert.js';
import { llama } from './llama.js';
import { mistral } from './mistral.js';
import { modernbert } from './modernbert.js';
import { mpnet } from './mpnet.js';
import { nomicBert } from './nomic-bert.js';
import { qwen2 } from './qwen2.js';
import { qwen3 } from './qwen3.js';
import { roberta } from './roberta.js';

/** Every architecture that the compiler knows. This is the only place that lists them. */
export const ARCHITECTURES: readonly Architecture[] = [
  bert,
  roberta,
  distilbert,
  electra,
  mpnet,
  albert,
  jinaBert,
  modernbert,
  nomicBert,
  gte,
  qwen3,
  qwen2,
  gemma3,
  mistral,
  llama,
  eurobert,
];
