import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { SpanKind } from 'bullmq';
import type { Exception, Telemetry } from 'bullmq';
import { BullMQOtel, BullMQOTelSpan } from 'bullmq-otel';
import { tracesOn } from '#config';
import type { Environment } from '#config';

/**
 * The `telemetry` option of BullMQ queues and workers: a task carries the trace of the code that enqueued it. Spans of
 * BullMQ's own housekeeping are left out: each poll of an empty queue would start a new trace.
 * @returns undefined when traces are off
 */
export function queueTelemetry(environment: Environment): Telemetry | undefined {
  if (!tracesOn(environment)) return undefined;
  const { contextManager } = new BullMQOtel();
  const tracer = trace.getTracer('bullmq');
  return {
    contextManager,
    tracer: {
      startSpan(name, options, within = context.active()) {
        const wanted = options?.kind !== SpanKind.INTERNAL && trace.getSpan(within) !== undefined;
        return wanted ? new QueueSpan(tracer.startSpan(name, options, within)) : UNRECORDED;
      },
    },
  };
}

/** Records an error's name but not its message, which may quote a text or a key. */
class QueueSpan extends BullMQOTelSpan {
  override addEvent(name: string): void {
    this.span.addEvent(name);
  }
  override recordException(exception: Exception): void {
    const name = typeof exception === 'object' && 'name' in exception ? exception.name : undefined;
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: name ?? 'error' });
  }
}

/** A span that is not recorded: spans started within it become children of its parent span, if there is one. */
const UNRECORDED: ReturnType<Telemetry['tracer']['startSpan']> = {
  setSpanOnContext: (within: unknown) => within,
  setAttribute() {},
  setAttributes() {},
  addEvent() {},
  recordException() {},
  end() {},
};
