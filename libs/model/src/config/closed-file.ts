import { readFile } from 'node:fs/promises';
import { BootError } from '#contracts';
import { MARK, pointerError } from './lfs-pointer.js';
import { z } from 'zod';

/** A configuration file, parsed but not checked. */
export interface JsonFile {
  readonly path: string;
  readonly json: unknown;
}

/** Known members of one kind of configuration file. Any other one causes a warning, unless it is off or empty. */
export interface KnownMembers<Used extends z.ZodRawShape> {
  readonly used: Used;
  /** Members that affect vectors, with their supported values. Any other value is refused. */
  readonly only: Readonly<Record<string, readonly unknown[]>>;
  /** Members that do not affect vectors, with any value. */
  readonly harmless: readonly string[];
}

export interface Reading<Value> {
  readonly value: Value;
  /** One line each, naming file, member and value. */
  readonly refusals: readonly string[];
  /** In the same form. */
  readonly warnings: readonly string[];
}

/** @throws BootError, one line, when the file cannot be read */
export async function readJson(path: string): Promise<JsonFile> {
  try {
    const text = await readFile(path, 'utf8');
    if (text.startsWith(MARK)) throw pointerError(path);
    return { path, json: parseJson(text) };
  } catch (error) {
    if (error instanceof BootError) throw error;
    // A parser quotes the file, line ends and all.
    const message = (error as Error).message.replace(/[\s\p{Cc}\uFFFD]+/gu, ' ');
    throw new BootError(`${path}: ${message}`, { cause: error });
  }
}

/** Parses JSON, also with a byte order mark, which editors on Windows put before it. @throws SyntaxError */
export function parseJson(text: string): unknown {
  return JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;
}

/**
 * Parses a file, and ignores members that are not in the schema.
 * @throws BootError, one line, when it does not match
 */
export function parseFile<T extends z.ZodType>({ path, json }: JsonFile, schema: T): z.infer<T> {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const members = issue?.path ?? [];
  const value = members.reduce((at, key) => (at as Record<PropertyKey, unknown> | null)?.[key], json);
  const name = members.length === 0 ? 'its content' : members.join('.');
  const said = value === undefined ? 'missing' : shown(value);
  throw new BootError(`${path}: ${name} is ${said}: ${issue?.message ?? 'not understood'}`);
}

/**
 * Reads a file and checks every member: unsupported values become refusals, unknown members warnings.
 * @throws BootError, one line, when a used member is missing or has another type
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

/** Whether the value of an unknown member means that its feature is not used. */
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
