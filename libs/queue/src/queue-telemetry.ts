import { context, SpanStatusCode, trace } from '@opentelemetry/api';
import { SpanKind } from 'bullmq';
import type { Exception, Telemetry } from 'bullmq';
import { BullMQOtel, BullMQOTelSpan } from 'bullmq-otel';
import { tracesOn } from '#config';
import type { Environment } from '#config';

/**
 * For the `telemetry` option of queues and workers: a task carries the trace of what enqueued it. BullMQ traces its
 * housekeeping too, which would begin a new trace with every look into an empty queue: left out.
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

/** Tells that something failed, and not how: what an error's message quotes is not known here. */
class QueueSpan extends BullMQOTelSpan {
  override addEvent(name: string): void {
    this.span.addEvent(name);
  }
  override recordException(exception: Exception): void {
    const name = typeof exception === 'object' && 'name' in exception ? exception.name : undefined;
    this.span.setStatus({ code: SpanStatusCode.ERROR, message: name ?? 'error' });
  }
}

/** Leaves what runs below it in the span above it, if there is one. */
const UNRECORDED: ReturnType<Telemetry['tracer']['startSpan']> = {
  setSpanOnContext: (within: unknown) => within,
  setAttribute() {},
  setAttributes() {},
  addEvent() {},
  recordException() {},
  end() {},
};
