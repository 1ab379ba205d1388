import { isRedisAway } from './is-redis-away.js';

it.each([
  Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }),
  Object.assign(new Error('Reached the max retries per request limit'), { name: 'MaxRetriesPerRequestError' }),
  Object.assign(new Error('Failed to refresh slots cache.'), { name: 'ClusterAllFailedError' }),
  new Error("Stream isn't writeable and enableOfflineQueue options is false"),
  new Error("Cluster isn't ready and enableOfflineQueue options is false"),
  new Error('Connection is closed.'),
  new Error('Command timed out'),
  new Error('LOADING Redis is loading the dataset in memory'),
  new Error("OOM command not allowed when used memory > 'maxmemory'."),
  new Error('CLUSTERDOWN The cluster is down'),
  new Error('TRYAGAIN Multiple keys request during rehashing of slot'),
  new Error('Too many Cluster redirections. Last error: Error: MOVED 1 127.0.0.1:1'),
  new Error('None of startup nodes is available'),
  new Error('All sentinels are unreachable. Retrying from scratch after 50ms.'),
])('takes "%s" for an outage', (error) => {
  expect(isRedisAway(error)).toBe(true);
});

it.each([
  new Error('WRONGTYPE Operation against a key holding the wrong kind of value'),
  new Error('ERR user text says CLUSTERDOWN and TRYAGAIN '),
  'Connection is closed.',
  null,
])('takes %p for none', (error) => {
  expect(isRedisAway(error)).toBe(false);
});
