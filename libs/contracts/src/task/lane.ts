import { z } from 'zod';

/** A lane is one of the two ways through the mill: queries that somebody waits for, and everything else. */
export const laneSchema = z.enum(['interactive', 'bulk']);
export type Lane = z.infer<typeof laneSchema>;
export const LANES = laneSchema.options;
