import type { ResultsFormat } from '#contracts';
import { f32, npy } from './binary.js';
import type { ResultsFormatter } from './format.js';
import { ndjson } from './ndjson.js';
import { page } from './page.js';

/** All results formats by the value of `format=`. */
export const FORMATS: Readonly<Record<ResultsFormat, ResultsFormatter>> = { json: page, ndjson, f32, npy };
