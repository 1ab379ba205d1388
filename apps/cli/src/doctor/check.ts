/** The result of one check. */
export interface Check {
  readonly name: string;
  readonly status: 'ok' | 'warn' | 'fail';
  /** What was found. */
  readonly found: string;
  /** What to do; null when it is ok. */
  readonly advice: string | null;
}

export function ok(name: string, found: string): Check {
  return { name, status: 'ok', found, advice: null };
}

/** It works, but not as well or not as safely as it could. */
export function warn(name: string, found: string, advice: string): Check {
  return { name, status: 'warn', found, advice };
}

/** It does not work, or accepted work can be lost. */
export function fail(name: string, found: string, advice: string): Check {
  return { name, status: 'fail', found, advice };
}

/** @returns the first line of an error's message */
export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n', 1)[0]!;
}
