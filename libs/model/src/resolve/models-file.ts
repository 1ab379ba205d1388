import { readFile } from 'node:fs/promises';
import { BootError, modelNameSchema, poolingSchema } from '#contracts';
import { z } from 'zod';
import { parseJson } from '../config/closed-file.js';

const entrySchema = z.strictObject({
  /** A folder, an npm package or a hub id. Default: the name itself. */
  source: z.string().min(1).optional(),
  pooling: poolingSchema.optional(),
  maxTokens: z.int().positive().optional(),
  normalize: z.boolean().optional(),
  prompts: z.record(z.string(), z.string()).optional(),
  /** null: none, although the model's files name one. */
  defaultPrompt: z.string().nullable().optional(),
  instruction: z.string().includes('{instruction}', 'must contain {instruction}').nullable().optional(),
  matryoshka: z.array(z.int().positive()).optional(),
  task: z.union([z.string().min(1), z.int().nonnegative()]).optional(),
  rowsPerBatch: z.literal(1).optional(),
});
const fileSchema = z.record(modelNameSchema, entrySchema);
export type ModelsFileEntry = z.infer<typeof entrySchema>;

/** Reads `models.json`: served name -> source and overrides. @throws BootError, one line */
export async function readModelsFile(path: string): Promise<Readonly<Record<string, ModelsFileEntry>>> {
  let json: unknown;
  try {
    json = parseJson(await readFile(path, 'utf8'));
  } catch (error) {
    throw new BootError(`EMBED_MODELS_FILE=${path}: ${(error as Error).message}`, { cause: error });
  }
  const parsed = fileSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new BootError(`EMBED_MODELS_FILE=${path}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}
