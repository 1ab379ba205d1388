import { readFile } from 'node:fs/promises';
import { BootError } from '#contracts';
import { z } from 'zod';

/** A configuration file as it lies there. */
export interface JsonFile {
  readonly path: string;
  readonly json: unknown;
}

/** What is known of the members of one kind of configuration file. Any other member is warned of by name. */
export interface KnownMembers<Used extends z.ZodRawShape> {
  readonly used: Used;
  /** Members that change vectors, and the values under which they change nothing here. Any other value is refused. */
  readonly only: Readonly<Record<string, readonly unknown[]>>;
  /** Members that change no vector, whatever they say. */
  readonly harmless: readonly string[];
}

export interface Reading<Value> {
  readonly value: Value;
  /** One line each, naming file, member and value. */
  readonly refusals: readonly string[];
  /** As the refusals. */
  readonly warnings: readonly string[];
}

/** @throws BootError, one line, when the file cannot be read */
export async function readJson(path: string): Promise<JsonFile> {
  try {
    return { path, json: JSON.parse(await readFile(path, 'utf8')) as unknown };
  } catch (error) {
    throw new BootError(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Reads a file whose other members do not matter. @throws BootError, one line, when it does not fit the schema */
export function parseFile<T extends z.ZodType>({ path, json }: JsonFile, schema: T): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const member = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `;
  throw new BootError(`${path}: ${member}${issue?.message ?? 'not understood'}`);
}

/**
 * Reads a file of which every member is known, or refused or warned of by name.
 * @throws BootError, one line, when a member that is used is missing or of another kind
 */
export function readClosed<Used extends z.ZodRawShape>(
  file: JsonFile,
  known: KnownMembers<Used>,
): Reading<z.infer<z.ZodObject<Used>>> {
  const value = parseFile(file, z.object(known.used));
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const [member, content] of Object.entries(file.json as Record<string, unknown>)) {
    const allowed = Object.hasOwn(known.only, member) ? known.only[member] : undefined;
    if (allowed !== undefined) {
      if (content === null || allowed.some((one) => alike(one, content))) continue;
      const others = allowed.map((one) => JSON.stringify(one)).join(', ');
      refusals.push(`${file.path}: ${member} is ${shown(content)}; Embedmill runs a model only with ${others}`);
    } else if (!Object.hasOwn(known.used, member) && !known.harmless.includes(member) && !saysNothing(content)) {
      warnings.push(`${file.path}: ${member} is ${shown(content)}; Embedmill does not know it and goes on without`);
    }
  }
  return { value, refusals, warnings };
}

/** @throws BootError with the first refusal */
export function accept<Value>({ value, refusals, warnings }: Reading<Value>, warn: (warning: string) => void): Value {
  const [refusal] = refusals;
  if (refusal !== undefined) throw new BootError(refusal);
  warnings.forEach(warn);
  return value;
}

/** What an unknown member says when what it stands for is not used. */
function saysNothing(content: unknown): boolean {
  if (content === null || content === false || content === '') return true;
  return typeof content === 'object' && Object.keys(content).length === 0;
}

function alike(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function shown(content: unknown): string {
  const text = JSON.stringify(content);
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
