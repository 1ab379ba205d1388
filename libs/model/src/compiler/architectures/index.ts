import { albert } from './albert.js';
import type { Architecture } from './architecture.js';
import { bert } from './bert.js';
import { distilbert } from './distilbert.js';
import { electra } from './electra.js';
import { jinaBert } from './jina-bert.js';
import { mpnet } from './mpnet.js';
import { roberta } from './roberta.js';

/** Every architecture that the compiler knows. This is the only place that lists them. */
export const ARCHITECTURES: readonly Architecture[] = [bert, roberta, distilbert, electra, mpnet, albert, jinaBert];
