import { RedisResults } from './redis-results.js';
import { itKeepsResults } from './result-store.contract.fixture.js';

itKeepsResults('Redis', (redis, keys) => new RedisResults(redis, keys));
