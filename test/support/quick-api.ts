/**
 * Entry of an API process that is the product's own but for the options in its argument, as JSON: what has no variable and takes
 * too long for a test.
 */
import { readEnvironment } from '#config';
import { runApi } from '../../apps/api/src/run-api.js';
import { endWithOneLine } from './end-with-one-line.js';
import type { QuickApiOptions } from './quick.js';

const options = JSON.parse(process.argv[2] ?? '') as QuickApiOptions;
await runApi(readEnvironment(), options).catch(endWithOneLine);
