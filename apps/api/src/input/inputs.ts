/** The inputs of one request, and how each is named in an error. */
export class Inputs {
  readonly values: readonly unknown[];
  readonly #alone: boolean;

  /** @param alone whether the request gave one input and no list */
  constructor(values: readonly unknown[], { alone }: { alone: boolean }) {
    this.values = values;
    this.#alone = alone;
  }

  get length(): number {
    return this.values.length;
  }

  /** The request field where an input stands: `input` or `input[3]`. */
  param(index: number): string {
    return this.#alone ? 'input' : `input[${index}]`;
  }
}
