import { BootError, type Keys, SCHEMA_VERSION } from '#contracts';
import type { RedisClient } from './client.js';
import { script } from './script.js';

const agree = script('agree', new URL('./agree.lua', import.meta.url));
/** 0.1.0 recorded none. */
const FIRST_VERSION = 1;

/**
 * Checks and records the version of the data formats in Redis; must run before anything else is read or written. Data
 * of 0.1.0 has version 1 but no version key; this release reads it as it is, so nothing is migrated.
 * @throws BootError, one line, when the data is of a newer version
 */
export async function agreeOnSchema(redis: RedisClient, keys: Keys): Promise<void> {
  const found = (await agree(redis, [keys.schema()], [SCHEMA_VERSION, FIRST_VERSION])) as number;
  if (found > SCHEMA_VERSION) {
    throw new BootError(
      `Redis holds data of format ${found} (${keys.schema()}), and this version of Embedmill reads up to ${SCHEMA_VERSION}: ` +
        'start the newer version again, or give this one another Redis or EMBED_KEY_PREFIX',
    );
  }
}
