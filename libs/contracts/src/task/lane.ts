import { z } from 'zod';

/** A lane is one of a model's two queues: by default `interactive` for waiting requests and `bulk` for jobs. */
export const laneSchema = z.enum(['interactive', 'bulk']);
export type Lane = z.infer<typeof laneSchema>;
export const LANES = laneSchema.options;
