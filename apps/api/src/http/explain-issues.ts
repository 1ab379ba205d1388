import { ApiError } from '#contracts';
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];

/** The ApiError for a value that a schema refused: names the field, what it must be, and what it is. */
export function invalidInput(issues: readonly Issue[], input: unknown): ApiError {
  const issue = issues[0]!;
  const { path } = issue;
  const param = fieldOf(path);
  const value = valueAt(input, path);
  const what = param === '' ? 'The body' : param;
  const field = { status: 400, param: param === '' ? null : param };
  if (value === undefined) {
    return new ApiError({ ...field, code: 'missing_field', message: `${what} is missing: it ${mustBe(issue)}.` });
  }
  const message = `${what} ${mustBe(issue)}. It is ${describeValue(value)}.`;
  return new ApiError({ ...field, code: 'invalid_value', message });
}

function mustBe(issue: Issue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `must be ${article(issue.expected)}`;
    case 'invalid_value':
      return `must be one of ${issue.values.map((value) => JSON.stringify(value)).join(', ')}`;
    case 'too_small':
      return `must ${size(issue.origin, 'at least', issue.minimum)}`;
    case 'too_big':
      return `must ${size(issue.origin, 'at most', issue.maximum)}`;
    case 'unrecognized_keys':
      return `must not have ${issue.keys.map((key) => `"${key}"`).join(', ')}`;
    default:
      return issue.message;
  }
}

function size(origin: string, bound: string, limit: number | bigint): string {
  const unit = { string: 'character', array: 'item' }[origin];
  return unit === undefined ? `be ${bound} ${limit}` : `have ${bound} ${limit} ${unit}${limit === 1 ? '' : 's'}`;
}

function article(expected: string): string {
  if (expected === 'array') return 'a list';
  if (expected === 'int') return 'an integer';
  return /^[aeiou]/.test(expected) ? `an ${expected}` : `a ${expected}`;
}

/** `input[3]`, `dimensions`. */
function fieldOf(path: Path): string {
  return path.reduce<string>(
    (field, part) =>
      typeof part === 'number' ? `${field}[${part}]` : field === '' ? String(part) : `${field}.${String(part)}`,
    '',
  );
}

function valueAt(input: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    input,
  );
}

/** Short, and without the content of long texts, since errors end up in logs. */
function describeValue(value: unknown): string {
  if (typeof value === 'string')
    return value.length <= 40 ? JSON.stringify(value) : `a string of ${value.length} characters`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return value === null ? 'null' : 'an object';
  return String(value);
}
