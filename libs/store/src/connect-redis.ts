import type { Redis } from 'ioredis';
import { type ConnectOptions, connectRedis as connect, type RedisRole } from './redis/index.js';

export type { RedisRole };

/** For callers that still take the client of a single server. */
export function connectRedis(url: string, role: RedisRole, name: string, options: ConnectOptions = {}): Redis {
  return connect(url, role, name, options) as Redis;
}
