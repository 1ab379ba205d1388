import { open, readFile, rename, rm } from 'node:fs/promises';
import { z } from 'zod';
import { CommandError, EXIT } from '../exit-codes.js';
import { fileMarkSchema } from '../vectors/vector-row.js';
import { inputIdentitySchema } from './input.js';

/** Texts so far. */
export const tallySchema = z.object({
  texts: z.int(),
  failed: z.int(),
  cached: z.int(),
  tokens: z.int(),
});
export type Tally = z.infer<typeof tallySchema>;

/** A part whose job was accepted and whose rows are not written yet. */
const submittedPartSchema = z.object({
  first: z.int(),
  texts: z.int(),
  end: z.int(),
  jobId: z.string(),
  /** Place in the part -> why the service took the upload only without it. */
  refused: z.array(z.tuple([z.int(), z.object({ code: z.string(), message: z.string() })])),
});
export type SubmittedPart = z.infer<typeof submittedPartSchema>;

/** What must be the same for a run to go on where another one stopped: text by name of the option. */
export type RunOptions = Readonly<Record<string, string | number | boolean | null>>;

const stateSchema = z.object({
  version: z.literal(1),
  /** null: standard input, which is never gone on with. */
  input: inputIdentitySchema.nullable(),
  options: z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()])),
  /** Of the model: vectors of two do not mix. */
  fingerprint: z.string(),
  dimensions: z.int(),
  /** Finished parts. */
  tally: tallySchema,
  /** Offset in the input after them. */
  inputEnd: z.int(),
  output: fileMarkSchema,
  /** Bytes of the file of errors. */
  errorBytes: z.int(),
  submitted: z.array(submittedPartSchema),
});
export type EmbedState = z.infer<typeof stateSchema>;

/** The state of a run lies beside its output, so that the same command finds it again. */
export class StateFile {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * @returns null when there is none
   * @throws CommandError when there is one that cannot be used
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

  /** Replaces it as a whole: a crash leaves the old one or the new one. */
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
 * @param state of the earlier run
 * @throws CommandError naming everything that is not as it was
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
