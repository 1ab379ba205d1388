/**
 * A segment store keeps large objects outside Redis: complete windows of a job's rows, and files that were uploaded. It
 * is written before the record that names the object, and read by that name, so an object nobody names is only garbage.
 * Deliberately not part of it: what is in an object, which objects there should be, and who may read them.
 */
export interface SegmentStore {
  /** For people and records: `folder`, `s3`. */
  readonly type: string;
  /**
   * Writes an object whole: when it resolves the bytes are durable, and no reader ever sees a part of them. A name is
   * written once; to write the same bytes again is no error.
   * @param name parts of letters, digits, `.`, `_` and `-`, joined by `/`
   */
  write(name: string, bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /**
   * The bytes `[from, to)` of an object as far as they exist, read no faster than they are taken.
   * @throws SegmentMissingError before the first byte when there is no such object
   */
  read(name: string, from?: number, to?: number): AsyncIterable<Uint8Array>;
  /** Bytes of an object; null when there is none. */
  size(name: string): Promise<number | null>;
  /** Names that begin with `prefix`, in any order. */
  list(prefix: string): AsyncIterable<string>;
  /** Of an object that is not there it is no error. */
  remove(name: string): Promise<void>;
}

/** What was asked for is not in the store. */
export class SegmentMissingError extends Error {
  override readonly name = 'SegmentMissingError';

  constructor(name: string) {
    super(`there is no segment ${JSON.stringify(name)}`);
  }
}

/** @throws RangeError for a name that could lead out of the store, or mean something to it */
export function requireSegmentName(name: string): void {
  const parts = name.split('/');
  if (parts.every((part) => /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/.test(part)) && name.length <= 512) return;
  throw new RangeError(`${JSON.stringify(name)} is no name of a segment`);
}
