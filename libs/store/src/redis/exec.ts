import type { Redis } from 'ioredis';
import type { RedisClient } from './client.js';

export type Command = readonly [name: string, ...args: (string | number | Buffer)[]];

export async function exec(redis: RedisClient, commands: readonly Command[]): Promise<unknown[]> {
  const replies = (await (redis as Redis).pipeline(commands as unknown as unknown[][]).exec()) ?? [];
  return replies.map(([error, reply]) => {
    if (error !== null) throw error;
    return reply;
  });
}
