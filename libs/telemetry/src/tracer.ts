import { trace } from '@opentelemetry/api';
import type { Tracer } from '@opentelemetry/api';
import { VERSION } from '#contracts';

/** Does nothing until `startTraces` has run, and never does where traces are off. */
export const tracer: Tracer = trace.getTracer('embedmill', VERSION);
