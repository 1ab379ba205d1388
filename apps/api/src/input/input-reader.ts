import type { EmbeddingsRequest } from '#contracts';
import type { Inputs } from './inputs.js';
import { readInput } from './read-input.js';
import { faultOfText, type TextFault } from './check-text.js';

/** Reads and checks inputs by the limits of this deployment, for every route. */
export class InputReader {
  readonly maxTextBytes: number;
  readonly #maxInputs: number;

  /** @param limits.maxInputs of a request that waits */
  constructor({ maxInputs, maxTextBytes }: { maxInputs: number; maxTextBytes: number }) {
    this.#maxInputs = maxInputs;
    this.maxTextBytes = maxTextBytes;
  }

  /** Of a request that waits. @throws ApiError 400 naming the field, the limit and the value */
  read(input: EmbeddingsRequest['input']): Promise<Inputs> {
    return readInput(input, { maxInputs: this.#maxInputs, maxTextBytes: this.maxTextBytes });
  }

  /** Of a job, whose number of inputs its body bounds. @throws ApiError 400 naming the field, the limit and the value */
  readAll(input: EmbeddingsRequest['input']): Promise<Inputs> {
    return readInput(input, { maxInputs: null, maxTextBytes: this.maxTextBytes });
  }

  /** What is wrong with one text of an upload; null when nothing is. */
  faultOf(text: string): TextFault | null {
    return faultOfText(text, this.maxTextBytes);
  }
}
