import { embed } from './embed.js';
import type { Operation } from './operation.js';

/** The operations that a process supports, by name. */
export class Operations {
  readonly #byName: ReadonlyMap<string, Operation>;

  constructor(all: readonly Operation[]) {
    this.#byName = new Map(all.map((operation) => [operation.name, operation]));
  }

  get all(): readonly Operation[] {
    return [...this.#byName.values()];
  }

  /** @throws UnknownOperationError */
  of({ operation: name }: { readonly operation: string }): Operation {
    const operation = this.#byName.get(name);
    if (operation === undefined) throw new UnknownOperationError(name);
    return operation;
  }
}

/** A task or record names an operation that this version does not support. */
export class UnknownOperationError extends Error {
  override readonly name = 'UnknownOperationError';

  constructor(operation: string) {
    super(`this version of Embedmill has no operation "${operation}"`);
  }
}

/** Every operation of this version. */
export const OPERATIONS = new Operations([embed]);
