import { parentPort, workerData } from 'node:worker_threads';
import type { Lane, ModelTexts } from '#contracts';
import { boundariesOf } from './boundaries.js';
import { tokenizerDefinition } from './definition.js';
import { JavascriptDriver } from './drivers/javascript-driver.js';
import { NativeDriver } from './drivers/native-driver.js';
import { ModelTextEncoder } from './text-encoder.js';
import { type Encoded, PromptTooLongError, TextTooComplexError } from './tokenizer.js';
import type { EncodeFailure, EncodeReply, EncodeRequest, TokenizerStart } from './tokenizer-messages.js';

/**
 * Entry of the tokenizer thread. It encodes a few inputs of a request at a time: an interactive request that comes
 * meanwhile goes before the rest of a bulk one.
 */
const SLICE_INPUTS = 64;
/** Characters of a slice of several inputs. */
const SLICE_CHARS = 64 * 1024;

interface OpenRequest extends EncodeRequest {
  readonly results: (Encoded | Error)[];
}

const port = parentPort!;
const { driver, files } = workerData as TokenizerStart;
const definition = tokenizerDefinition(files);
const library =
  driver === 'native' ? await NativeDriver.load(definition) : new JavascriptDriver(definition, files.config);
const encoder = await ModelTextEncoder.create(library, boundariesOf(definition));
const queues: Record<Lane, OpenRequest[]> = { interactive: [], bulk: [] };
let working = false;

port.on('message', (request: EncodeRequest) => {
  queues[request.options.lane ?? 'bulk'].push({ ...request, results: [] });
  // A failure here ends the thread, as any uncaught error does.
  if (!working) void work();
});
port.postMessage('ready');

async function work(): Promise<void> {
  working = true;
  for (let queue = nextQueue(); queue !== undefined; queue = nextQueue()) {
    const request = queue[0]!;
    const slice = sliceOf(request.inputs, request.results.length);
    request.results.push(...(await Promise.all(slice.map((texts) => encodeOrReason(texts, request)))));
    if (request.results.length === request.inputs.length) {
      queue.splice(queue.indexOf(request), 1);
      answer(request);
    }
    // Lets messages in, also when the library works in this thread.
    await new Promise((resolve) => setImmediate(resolve));
  }
  working = false;
}

function nextQueue(): OpenRequest[] | undefined {
  return [queues.interactive, queues.bulk].find((queue) => queue.length > 0);
}

function sliceOf(inputs: readonly ModelTexts[], start: number): readonly ModelTexts[] {
  let end = start;
  for (let chars = 0; end < inputs.length && end - start < SLICE_INPUTS; end++) {
    for (const text of inputs[end]!) chars += text.length;
    if (chars > SLICE_CHARS && end > start) break;
  }
  return inputs.slice(start, end);
}

async function encodeOrReason(texts: ModelTexts, { options }: EncodeRequest): Promise<Encoded | Error> {
  try {
    return await encoder.encode(texts, options);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function answer({ id, results }: OpenRequest): void {
  const failures: EncodeFailure[] = [];
  const size = results.reduce((sum, one) => sum + (one instanceof Error ? 0 : one.ids.length), 0);
  const ids = new Int32Array(size);
  const types = results.some((one) => !(one instanceof Error) && one.types !== null) ? new Int32Array(size) : null;
  const offsets = results.some((one) => !(one instanceof Error) && one.offsets) ? new Int32Array(2 * size) : null;
  const ends = new Int32Array(results.length);
  const lengths = new Int32Array(results.length);
  const promptTokens = new Int32Array(results.length);
  let end = 0;
  for (const [index, one] of results.entries()) {
    if (one instanceof Error) {
      const coded = one instanceof TextTooComplexError || one instanceof PromptTooLongError;
      failures.push({ index, message: one.message, code: coded ? one.code : null });
    } else {
      ids.set(one.ids, end);
      if (one.types !== null) types!.set(one.types, end);
      if (one.offsets !== undefined) offsets!.set(one.offsets, 2 * end);
      end += one.ids.length;
      lengths[index] = one.lengthIsLowerBound === true ? -one.length : one.length;
      promptTokens[index] = one.promptTokens ?? 0;
    }
    ends[index] = end;
  }
  const reply: EncodeReply = { id, ids, types, offsets, ends, lengths, promptTokens, failures };
  const arrays = [ids, types, offsets, ends, lengths, promptTokens].filter((array) => array !== null);
  port.postMessage(
    reply,
    arrays.map(({ buffer }) => buffer),
  );
}
