import { SpanStatusCode, trace } from '@opentelemetry/api';
import type { Attributes, Span } from '@opentelemetry/api';
import { tracer } from './tracer.js';

/** Adds attributes to the active span, if there is one. Numbers and names only, see `inSpan`. */
export function describeSpan(attributes: Attributes): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/**
 * Runs `work` in a child span of the active span. Without an active span, as always when traces are off, it only calls
 * `work`. Attributes must be numbers and names, never a text or any part of a key.
 */
export async function inSpan<T>(name: string, work: (span: Span | undefined) => Promise<T>): Promise<T> {
  if (trace.getActiveSpan()?.isRecording() !== true) return work(undefined);
  return tracer.startActiveSpan(name, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      // Only the name: the message may quote a text or a key.
      span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
      throw error;
    } finally {
      span.end();
    }
  });
}
