import { context, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';

/** The span active at a point in time, kept for related work that starts later outside of it. */
export class TraceHandle {
  readonly #context: Context;

  constructor(within: Context) {
    this.#context = within;
  }

  /** Calls `work` with this span active. */
  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** Adds a link from this span to another one, in whose trace the work is done. */
  linkTo(other: TraceHandle): void {
    const target = trace.getSpanContext(other.#context);
    if (target !== undefined) trace.getSpan(this.#context)?.addLink({ context: target });
  }
}

export function currentTrace(): TraceHandle {
  return new TraceHandle(context.active());
}
