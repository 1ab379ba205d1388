import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';
import { tracer } from './tracer.js';

/** Adds to the span that this is called in, if it is in one. Numbers and names, as below. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/**
 * Runs `work` in a span of its own, below the one it is called in; without one, as always when traces are off, it is
 * just called. Attributes are numbers and names: never a text, and nothing of a key.
 */
export async function inSpan<T>(name: string, work: (span: Span | undefined) => Promise<T>): Promise<T> {
  if (trace.getActiveSpan()?.isRecording() !== true) return work(undefined);
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      // Its name only: what a message quotes is not known here.
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
      throw error;
    } finally {
      span.end();
    }
  });
}
