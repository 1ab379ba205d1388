export { awaitRedis } from './redis/index.js';
