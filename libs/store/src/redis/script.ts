import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.js';

type Argument = string | number | Buffer;

/**
 * Runs a Lua script. All keys must share a slot; buffers are sent as binary.
 * @returns the script's result, with text as strings
 */
export type Script = (redis: RedisClient, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/**
 * Loads a Lua script from a file. ioredis sends its text once per connection and then calls it by its digest (EVALSHA);
 * it sends the text again to a server that has lost it.
 * @param name unique per file
 */
export function script(name: string, file: URL): Script {
  const lua = readFileSync(file, 'utf8');
  // ioredis adds the script to the client as a method; the colon avoids clashes with other methods.
  const method = `script:${name}`;
  const defined = new WeakSet<RedisClient>();
  return async (redis, keys, args) => {
    if (!defined.has(redis)) {
      redis.defineCommand(method, { lua });
      defined.add(redis);
    }
    const methods = redis as unknown as Record<string, (...args: Argument[]) => Promise<unknown>>;
    return methods[method]!(keys.length, ...keys, ...args);
  };
}
