/**
 * Version of everything that is kept in Redis: the greatest that this build writes and reads. 1 is what 0.1.0 wrote; it
 * named no version. 2: tasks hold `inputs` and name their operation, job records know `rowBytes`.
 */
export const SCHEMA_VERSION = 2;

/** Something in Redis was written by a newer version of Embedmill. */
export class NewerFormatError extends Error {
  override readonly name = 'NewerFormatError';

  constructor(what: string, version: number) {
    super(
      `${what} is of format ${version}, written by a newer version of Embedmill; this one reads up to ${SCHEMA_VERSION}`,
    );
  }
}
