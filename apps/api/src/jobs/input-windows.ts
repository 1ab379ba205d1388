import type { Operation } from '#contracts';

/** A window is a stretch of a job's inputs that is looked up, accepted and enqueued in one go. */
export interface InputWindow {
  /** Position of the first input in the job. */
  readonly from: number;
  readonly inputs: readonly unknown[];
}

/** What a window may hold; the bytes may be passed by one input. */
export interface WindowLimits {
  readonly inputs: number;
  readonly bytes: number;
}

/** Large enough to pay for its round trips, small enough that two of them are nothing. */
const WINDOW_LIMITS: WindowLimits = { inputs: 1024, bytes: 1024 * 1024 };

/** Cuts any number of inputs into windows, in order; holds one window at a time. */
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
