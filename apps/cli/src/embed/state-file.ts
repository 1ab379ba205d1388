import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { CommandError, EXIT } from '../exit-codes.js';
import { fileMarkSchema } from '../vectors/vector-row.js';
import { inputIdentitySchema } from './input.js';

/** Counts so far, of texts and of their tokens. */
export const tallySchema = z.object({
  texts: z.int(),
  failed: z.int(),
  cached: z.int(),
  tokens: z.int(),
});
export type Tally = z.infer<typeof tallySchema>;

/** A part whose job is accepted and whose rows are not written yet. */
const submittedPartSchema = z.object({
  first: z.int(),
  texts: z.int(),
  end: z.int(),
  jobId: z.string(),
  /** Index in the part -> why the service refused the text. */
  refused: z.array(z.tuple([z.int(), z.object({ code: z.string(), message: z.string() })])),
});
export type SubmittedPart = z.infer<typeof submittedPartSchema>;

/** Options that must be unchanged when a run is resumed: value by name of the option. */
export type RunOptions = Readonly<Record<string, string | number | boolean | null>>;

const stateSchema = z.object({
  version: z.literal(1),
  /** null: standard input, from which no run can be resumed. */
  input: inputIdentitySchema.nullable(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** The model's fingerprint: vectors of different fingerprints must not be mixed. */
  fingerprint: z.string(),
  dimensions: z.int(),
  /** Counts of the finished parts. */
  tally: tallySchema,
  /** Offset in the input after the finished parts. */
  inputEnd: z.int(),
  output: fileMarkSchema,
  /** Size of the errors file, bytes. */
  errorBytes: z.int(),
  submitted: z.array(submittedPartSchema),
});
export type EmbedState = z.infer<typeof stateSchema>;

/** The state of a run, kept beside its output so that the same command finds it. */
export class StateFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns null when there is no file
   * @throws CommandError when the file is damaged or of another version
   */
  async read(): Promise<EmbedState | null> {
    const json = await readFile(this.path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null;
      throw error;
    });
    if (json === null) return null;
    const parsed = stateSchema.safeParse(parseJson(json));
    if (parsed.success) return parsed.data;
    throw new CommandError(EXIT.error, `${this.path} is of another version or damaged; --restart starts over`);
  }

  /** Replaces the file atomically: a crash leaves either the old or the new state. */
  async write(state: EmbedState): Promise<void> {
    const draft = `${this.path}.new`;
    const file = await open(draft, 'w');
    try {
      await file.writeFile(JSON.stringify(state));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.path);
  }

  async remove(): Promise<void> {
    await rm(this.path, { force: true });
  }
}

/**
 * Checks that a run can be resumed.
 * @param state saved by the earlier run
 * @throws CommandError that names everything that has changed
 */
export function requireSame(
  state: EmbedState,
  now: Pick<EmbedState, 'input' | 'options' | 'fingerprint'>,
  path: string,
): void {
  const changes = Object.keys({ ...state.options, ...now.options })
    .filter((name) => (state.options[name] ?? null) !== (now.options[name] ?? null))
    .map((name) => `${name} was ${said(state.options[name])} and is ${said(now.options[name])}`);
  if (JSON.stringify(state.input) !== JSON.stringify(now.input)) changes.unshift('the input has changed');
  else if (state.fingerprint !== now.fingerprint && changes.length === 0) changes.push('the model has been replaced');
  if (changes.length === 0) return;
  throw new CommandError(
    EXIT.usage,
    `${path} is of an interrupted run that this one cannot go on with: ${changes.join('; ')}. ` +
      'Repeat the command as it was, or start over with --restart',
  );
}

function said(value: string | number | boolean | null | undefined): string {
  return value === null || value === undefined ? 'not given' : String(value);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
