import type { Operation } from '#contracts';

/** A window: consecutive inputs of a job that are looked up, accepted and enqueued together. */
export interface InputWindow {
  /** Position of the first input in the job. */
  readonly from: number;
  readonly inputs: readonly unknown[];
}

/** Limits of a window; its last input may exceed `bytes`. */
export interface WindowLimits {
  readonly inputs: number;
  readonly bytes: number;
}

/** Large enough to amortise the round trips, small enough that holding two costs little memory. */
const WINDOW_LIMITS: WindowLimits = { inputs: 1024, bytes: 1024 * 1024 };

/** Cuts any number of inputs into windows, in order; holds one window in memory. */
export async function* inputWindows(
  inputs: AsyncIterable<unknown> | Iterable<unknown>,
  operation: Pick<Operation, 'bytes'>,
  limits: WindowLimits = WINDOW_LIMITS,
): AsyncGenerator<InputWindow> {
  let from = 0;
  let window: unknown[] = [];
  let bytes = 0;
  for await (const input of inputs) {
    window.push(input);
    bytes += operation.bytes(input);
    if (window.length < limits.inputs && bytes < limits.bytes) continue;
    yield { from, inputs: window };
    from += window.length;
    window = [];
    bytes = 0;
  }
  if (window.length > 0) yield { from, inputs: window };
}
