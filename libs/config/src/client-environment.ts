import { z } from 'zod';
import { presentIn } from './present.js';

/** Variables that the `embedmill` CLI reads as a client of a deployment. Command-line options take precedence. */
export const clientEnvironmentSchema = z.object({
  /** URL of the API. */
  EMBEDMILL_URL: z.string().optional(),
  EMBEDMILL_API_KEY: z.string().optional(),
  /** File that contains only the key; read if `EMBEDMILL_API_KEY` is not set. */
  EMBEDMILL_API_KEY_FILE: z.string().optional(),
});
export type ClientEnvironment = z.infer<typeof clientEnvironmentSchema>;

/** Reads the variables; empty ones count as absent. */
export function readClientEnvironment(source: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  return clientEnvironmentSchema.parse(presentIn(source));
}
