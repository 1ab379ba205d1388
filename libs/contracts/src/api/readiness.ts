import { z } from 'zod';

/** `GET /health/ready`: what is ready and what is missing, for probes and for people. */
export const readinessSchema = z.object({
  ready: z.boolean(),
  redis: z.enum(['up', 'down']),
  /** Served name -> workers that take its tasks. */
  models: z.record(z.string(), z.int()),
  /** Lanes that an operator has paused, as `model/lane`: what comes for them waits. No reason not to be ready. */
  paused: z.array(z.string()),
  /** In words; empty when ready. */
  missing: z.array(z.string()),
});
export type Readiness = z.infer<typeof readinessSchema>;
