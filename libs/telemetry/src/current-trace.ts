import { context, trace } from '@opentelemetry/api';
import type { Context } from '@opentelemetry/api';

/** The span that something was asked for in, kept for work that others set off later. */
export class TraceHandle {
  readonly #context: Context;

  constructor(within: Context) {
    this.#context = within;
  }

  run<T>(work: () => T): T {
    return context.with(this.#context, work);
  }

  /** Names, in this span, another one in whose trace its work is done. */
  linkTo(other: TraceHandle): void {
    const target = trace.getSpanContext(other.#context);
    if (target !== undefined) trace.getSpan(this.#context)?.addLink({ context: target });
  }
}

export function currentTrace(): TraceHandle {
  return new TraceHandle(context.active());
}
