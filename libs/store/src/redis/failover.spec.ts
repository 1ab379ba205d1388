import { startRedisSentinel } from '../../../../test/support/redis-sentinel.js';
import { until } from '../../../../test/support/until.js';
import { awaitRedis } from './await-redis.js';
import { connectRedis } from './client.js';

it('goes on with the server that Sentinels make the master', async () => {
  const servers = await startRedisSentinel();
  const command = connectRedis(servers.url, 'command', 'test');
  const worker = connectRedis(servers.url, 'worker', 'test');
  const subscriber = connectRedis(servers.url, 'subscriber', 'test');
  try {
    await Promise.all([awaitRedis(command, 10_000), awaitRedis(worker, 10_000)]);
    const heard: string[] = [];
    subscriber.on('message', (_channel: string, message: string) => heard.push(message));
    await subscriber.subscribe('news');
    await worker.set('k', 'v');
    expect(await worker.wait(1, 5000)).toBe(1);
    await servers.failover();
    const { port } = servers.servers[1];
    for (const redis of [command, worker]) {
      await until('it is connected to the new master', async () =>
        (await redis.info('server')).includes(`tcp_port:${port}`),
      );
    }
    expect(await worker.get('k')).toBe('v');
    expect(await command.set('k', 'w')).toBe('OK');
    await until('messages come again', async () => {
      await command.publish('news', 'again');
      return heard.includes('again');
    });
  } finally {
    for (const redis of [command, worker, subscriber]) redis.disconnect();
    await servers.stop();
  }
});
