import { BootError, type Keys, SCHEMA_VERSION } from '#contracts';
import type { RedisClient } from './client.js';

/**
 * Agrees with everybody on one Redis which version of our formats it holds, before anything is read or written. What 0.1.0
 * kept is of version 1, and says nothing of it; this version reads it as it is, so nothing has to be rewritten.
 * @throws BootError, one line, when the data are of a newer version
 */
export async function agreeOnSchema(redis: RedisClient, keys: Keys): Promise<void> {
  const found = Number((await redis.get(keys.schema())) ?? 1);
  if (found > SCHEMA_VERSION) {
    throw new BootError(
      `Redis holds data of format ${found} (${keys.schema()}), and this version of Embedmill reads up to ${SCHEMA_VERSION}: ` +
        'start the newer version again, or give this one another Redis or EMBED_KEY_PREFIX',
    );
  }
  if (found < SCHEMA_VERSION) await redis.set(keys.schema(), SCHEMA_VERSION);
}
