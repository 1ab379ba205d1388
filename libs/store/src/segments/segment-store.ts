/**
 * A segment store keeps large objects outside Redis: complete windows of a job's rows, and uploaded files. An object is
 * written before the record that references it, and read by the name in that record, so an unreferenced object is
 * merely garbage. Deliberately not part of it: the content of objects, which ones should exist, and who may read them.
 */
export interface SegmentStore {
  /** Kind of store, for records and display: `folder`, `s3`. */
  readonly type: string;
  /**
   * Writes an object atomically: when it resolves the bytes are durable, and readers never see only a part of them. An
   * object is never changed; writing the same bytes again is not an error.
   * @param name parts of letters, digits, `.`, `_` and `-`, joined by `/`; no name continues another one with `/`
   */
  write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * The bytes `[from, to)` of an object, as far as they exist, read no faster than the caller consumes them.
   * @throws SegmentMissingError before the first byte when there is no such object
   */
  read(name: string, from?: number, to?: number): AsyncIterable<Uint8Array>;
  /** Size of an object, bytes; null when there is none. */
  size(name: string): Promise<number | null>;
  /** Names of objects that begin with `prefix`, in any order. */
  list(prefix: string): AsyncIterable<string>;
  /** Removes an object; not an error when there is none. */
  remove(name: string): Promise<void>;
}

/** The requested object is not in the store. */
export class SegmentMissingError extends Error {
  override readonly name = 'SegmentMissingError';

  constructor(name: string) {
    super(`there is no segment ${JSON.stringify(name)}`);
  }
}

/** @throws RangeError when a name is invalid: it could escape from the store, or have a special meaning to it */
export function requireSegmentName(name: string): void {
  const parts = name.split('/');
  if (parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part)) && name.length <= 512) return;
  throw new RangeError(`${JSON.stringify(name)} is no name of a segment`);
}
