import { parentPort, workerData } from 'node:worker_threads';
import type { TokenizerFiles } from '../types.js';
import { ModelTextEncoder } from './text-encoder.js';
import type { EncodeReply, EncodeRequest } from './tokenizer-messages.js';

/** Entry of the tokenizer thread. */
const port = parentPort!;
const encoder = new ModelTextEncoder(workerData as TokenizerFiles);
port.postMessage('ready');

port.on('message', ({ id, inputs, options }: EncodeRequest) => {
  try {
    const encoded = inputs.map((texts) => encoder.encode(texts, options));
    const ids = new Int32Array(encoded.reduce((sum, one) => sum + one.ids.length, 0));
    const types = encoded.some((one) => one.types !== null) ? new Int32Array(ids.length) : null;
    const ends = new Int32Array(inputs.length);
    const lengths = new Int32Array(inputs.length);
    let end = 0;
    for (const [n, one] of encoded.entries()) {
      ids.set(one.ids, end);
      if (one.types !== null) types!.set(one.types, end);
      ends[n] = end += one.ids.length;
      lengths[n] = one.length;
    }
    const reply: EncodeReply = { id, ids, types, ends, lengths };
    const transfer = [ids.buffer, ends.buffer, lengths.buffer, ...(types === null ? [] : [types.buffer])];
    port.postMessage(reply, transfer);
  } catch (error) {
    const reply: EncodeReply = { id, error: error instanceof Error ? error.message : String(error) };
    port.postMessage(reply);
  }
});
