import { readFileSync } from 'node:fs';
import type { RedisClient } from './client.js';

type Argument = string | number | Buffer;

/** Runs a Lua script. All keys share a slot; buffers arrive as they are. @returns what the script returns, text as strings */
export type Script = (redis: RedisClient, keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

/**
 * A Lua script in a file of its own. ioredis sends it once on every connection and then calls it by its digest, and
 * sends it again to a server that has forgotten it.
 * @param name one name for each file
 */
export function script(name: string, file: URL): Script {
  const lua = readFileSync(file, 'utf8');
  // A client gets it as a method: with a colon no other method has its name.
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
