export { awaitRedis } from './await-redis.js';
export { connectRedis, type RedisClient, serversOf } from './client.js';
export { exec, getStrings, type RedisCommand, setStrings } from './exec.js';
export { isRedisAway } from './is-redis-away.js';
export { readRedisTls } from './redis-tls.js';
export { hostsOf } from './redis-url.js';
export type { RedisRole } from './roles.js';
export { agreeOnSchema } from './schema.js';
export { script } from './script.js';
