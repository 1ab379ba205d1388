import type { ResultsFormat } from '#contracts';
import { f32, npy } from './binary.js';
import type { ResultsFormatter } from './format.js';
import { ndjson } from './ndjson.js';
import { page } from './page.js';

/** Every form of results, by the name that `format=` gives it. */
export const FORMATS: Readonly<Record<ResultsFormat, ResultsFormatter>> = { json: page, ndjson, f32, npy };
