/**
 * Run as a program of its own: computes texts while the device thread dies again and again of an uncaught error, and
 * prints what came of it. (Node tells of a new thread through its own `process` object, which a test does not see.)
 *
 * Arguments: a folder for the graph. Output: JSON of `Report`.
 */
import type { Worker } from 'node:worker_threads';
import { bagValues, writeBagOfTokens } from './bag-of-tokens.fixture.js';
import { Engine } from '../engine/engine.js';
import { isRow, type ModelTexts, rowFloats } from '#contracts';
import type { Encoded } from '#model';
import { OnnxDevice } from './onnx-device.js';

export interface Report {
  readonly texts: number;
  /** Texts whose row is their own. */
  readonly right: number;
  readonly restarts: number;
  readonly reasons: string[];
}

let thread: Worker | undefined;
process.on('worker', (worker) => {
  thread = worker;
});
const reasons: string[] = [];
const device = await OnnxDevice.start({
  model: await writeBagOfTokens(process.argv[2]!),
  device: { kind: 'cpu' },
  threads: 1,
  tokenBudget: 256,
  maxTokens: 64,
  onRestart: ({ reason }) => {
    reasons.push(reason);
  },
});
const encode = ([text]: ModelTexts): Encoded => {
  const ids = Int32Array.from(text.split(' '), Number);
  return { ids, types: null, length: ids.length, truncated: false };
};
const engine = new Engine({
  tokenizer: { encode: (inputs) => Promise.resolve(inputs.map(encode)), close: () => Promise.resolve() },
  device,
  maxTokens: 64,
  tokenBudget: 256,
  maxRows: 8,
  lookaheadTexts: 256,
  bulkShare: 0.2,
});
const inputs = Array.from({ length: 600 }, (_, index): ModelTexts => [
  `${1 + (index % 900)} ${index % 7} ${index % 13}`,
]);
let deaths = 0;
engine.onBatch(() => {
  // A message that the thread does not understand ends it.
  if (engine.stats().batches % 25 === 10 && deaths++ < 3) thread!.postMessage(null, []);
});
const outcomes = await engine.run(inputs, { prompt: '', truncate: 'end', lane: 'bulk' });
const right = outcomes.filter((outcome, index) => {
  const expected = bagValues(encode(inputs[index]!).ids);
  return isRow(outcome) && rowFloats(outcome).every((value, place) => Math.abs(value - expected[place]!) < 1e-4);
});
const report: Report = { texts: inputs.length, right: right.length, restarts: engine.stats().deviceRestarts, reasons };
await engine.close();
console.log(JSON.stringify(report));
