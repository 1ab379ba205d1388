/**
 * Entry of a worker that is the product's own but for the options in its argument, as JSON: what has no variable and takes
 * too long for a test.
 */
import { readEnvironment } from '#config';
import { runWorker } from '../../apps/worker/src/run-worker.js';
import { endWithOneLine } from './end-with-one-line.js';
import type { QuickWorkerOptions } from './quick.js';

const options = JSON.parse(process.argv[2] ?? '') as QuickWorkerOptions;
await runWorker(readEnvironment(), options).catch(endWithOneLine);
