/**
 * Run as a program of its own: embeds texts while the device thread dies again and again of an uncaught error, and
 * prints what came of it. (Node tells of a new thread through its own `process` object, which a test does not see.)
 *
 * Arguments: a folder for the graph. Output: JSON of `Outcome`.
 */
import type { Worker } from 'node:worker_threads';
import { bagVector, writeBagOfTokens } from './bag-of-tokens.fixture.js';
import { Engine } from '../engine/engine.js';
import type { Encoded } from '#model';
import { OnnxDevice } from './onnx-device.js';

export interface Outcome {
  readonly texts: number;
  /** Texts whose vector is their own. */
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
const encode = (text: string): Encoded => {
  const ids = Int32Array.from(text.split(' '), Number);
  return { ids, length: ids.length, truncated: false };
};
const engine = new Engine({
  tokenizer: { encode: (texts) => Promise.resolve(texts.map(encode)), close: () => Promise.resolve() },
  device,
  maxTokens: 64,
  tokenBudget: 256,
  maxRows: 8,
  lookaheadTexts: 256,
  bulkShare: 0.2,
});
const texts = Array.from({ length: 600 }, (_, index) => `${1 + (index % 900)} ${index % 7} ${index % 13}`);
let deaths = 0;
engine.onBatch(() => {
  // A message that the thread does not understand ends it.
  if (engine.stats().batches % 25 === 10 && deaths++ < 3) thread!.postMessage(null, []);
});
const results = await engine.embed(texts, { prompt: '', truncate: 'end', lane: 'bulk' });
const right = results.filter((result, index) => {
  const expected = bagVector(encode(texts[index]!).ids);
  return result.ok && result.vector.every((value, place) => Math.abs(value - expected[place]!) < 1e-4);
});
const outcome: Outcome = { texts: texts.length, right: right.length, restarts: engine.stats().deviceRestarts, reasons };
await engine.close();
console.log(JSON.stringify(outcome));
