import type { EmbeddingsRequest } from '#contracts';
import type { Inputs } from './inputs.js';
import { readInput } from './read-input.js';
import { faultOfText, type TextFault } from './check-text.js';

/** Reads and checks the inputs of every endpoint against the limits of this deployment. */
export class InputReader {
  readonly maxTextBytes: number;
  readonly #maxInputs: number;

  /** @param limits.maxInputs of an interactive request; jobs have no such limit */
  constructor({ maxInputs, maxTextBytes }: { maxInputs: number; maxTextBytes: number }) {
    this.#maxInputs = maxInputs;
    this.maxTextBytes = maxTextBytes;
  }

  /** Inputs of an interactive request. @throws ApiError 400 naming the field, the limit and the value */
  read(input: EmbeddingsRequest['input']): Promise<Inputs> {
    return readInput(input, { maxInputs: this.#maxInputs, maxTextBytes: this.maxTextBytes });
  }

  /** Inputs of a job, bounded by the body limit only. @throws ApiError 400 naming the field, the limit and the value */
  readAll(input: EmbeddingsRequest['input']): Promise<Inputs> {
    return readInput(input, { maxInputs: null, maxTextBytes: this.maxTextBytes });
  }

  /** The fault of one text of an upload; null when it is valid. */
  faultOf(text: string): TextFault | null {
    return faultOfText(text, this.maxTextBytes);
  }
}
