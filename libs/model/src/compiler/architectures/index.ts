import type { Architecture } from './architecture.js';
import { bert } from './bert.js';
import { roberta } from './roberta.js';

/** Every architecture that the compiler knows. This is the only place that lists them. */
export const ARCHITECTURES: readonly Architecture[] = [bert, roberta];
