import { z } from 'zod';

/** `GET /health/ready`: what is ready and what is missing, for probes and operators. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  redis: z.enum(['up', 'down']),
  /** Served name -> number of workers that take its tasks. */
  models: z.record(z.string(), z.int()),
  /** Lanes that an operator has paused, as `model/lane`: their tasks wait. A paused lane does not affect `ready`. */
  paused: z.array(z.string()),
  /** What is missing, as text; empty when ready. */
  missing: z.array(z.string()),
});
export type Readiness = z.infer<typeof readinessSchema>;
