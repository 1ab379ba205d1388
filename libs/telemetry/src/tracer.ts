import { trace } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { VERSION } from '#contracts';

/** A no-op until `startTraces` has run, and always when traces are off. */
export const tracer: Tracer = trace.getTracer('embedmill', VERSION);
