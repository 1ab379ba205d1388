/** The inputs of one request, with their field names for error messages. */
export class Inputs {
  readonly values: readonly unknown[];
  readonly #alone: boolean;

  /** @param alone whether the request gave a single input instead of a list */
  constructor(values: readonly unknown[], { alone }: { alone: boolean }) {
    this.values = values;
    this.#alone = alone;
  }

  get length(): number {
    return this.values.length;
  }

  /** The request field of an input: `input` or `input[3]`. */
  param(index: number): string {
    return this.#alone ? 'input' : `input[${index}]`;
  }
}
