/**
 * Version of all data formats in Redis: the one that this build writes, and the highest that it reads. 1: data of
 * 0.1.0, which stored no version number. 2: tasks have `inputs` and an operation, job records have `rowBytes`.
 */
export const SCHEMA_VERSION = 2;

/** Data in Redis was written by a newer version of Embedmill. */
export class NewerFormatError extends Error {
  override readonly name = 'NewerFormatError';

  constructor(what: string, version: number) {
    super(
      `${what} is of format ${version}, written by a newer version of Embedmill; this one reads up to ${SCHEMA_VERSION}`,
    );
  }
}
