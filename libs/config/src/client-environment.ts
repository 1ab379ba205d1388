import { z } from 'zod';
import { presentIn } from './present.js';

/** What `embedmill` reads as a client of a deployment, which may run elsewhere; options of the command line go first. */
export const clientEnvironmentSchema = z.object({
  /** Of the API. */
  EMBEDMILL_URL: z.string().optional(),
  EMBEDMILL_API_KEY: z.string().optional(),
  /** A file with the key and nothing else; read where `EMBEDMILL_API_KEY` is not set. */
  EMBEDMILL_API_KEY_FILE: z.string().optional(),
});
export type ClientEnvironment = z.infer<typeof clientEnvironmentSchema>;

/** Empty variables count as absent. */
export function readClientEnvironment(source: NodeJS.ProcessEnv = process.env): ClientEnvironment {
  return clientEnvironmentSchema.parse(presentIn(source));
}
