import { Readable } from 'node:stream';
import type { z } from 'zod';
import { invalidInput } from './explain-issues.js';
import { unsupportedType } from './unsupported-type.js';

/**
 * Validates a value against a schema.
 * @throws ApiError 400 naming the field, what it must be and what it is; 415 for an NDJSON body where JSON is required
 */
export function parse<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  if (value instanceof Readable) throw unsupportedType();
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidInput(parsed.error.issues, value);
}
