import { Queue } from 'bullmq';
import { jobTaskId, type JobTask, Keys } from '#contracts';
import { LaneProducer } from '#queue';
import { type Abort, AbortListener, Aborts, connectRedis } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { AbandonedWork } from './cancelled-jobs.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const subscriber = connectRedis(server.url, 'subscriber', 'test');
const keys = new Keys('test');
const queue = new Queue(keys.queue('m', 'bulk'), { connection: { url: server.url }, prefix: keys.queuePrefix() });
const producer = new LaneProducer(() => queue, { attempts: 1 });

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  subscriber.disconnect();
  await server.stop();
});

function task(jobId: string, unit: number): { id: string; lane: 'bulk'; task: JobTask } {
  const spec = { fingerprint: 'f'.repeat(16), prompt: '', truncate: 'end' as const };
  const texts = [`${jobId} ${unit}`];
  const positions = [[unit]];
  return {
    id: jobTaskId(jobId, unit),
    lane: 'bulk',
    task: { kind: 'job', model: 'm', spec, texts, acceptedAt: Date.now(), jobId, unit, positions },
  };
}

it('abandoned work is aborted and leaves the queue, the work of others stays', async () => {
  const aborts: Abort[] = [];
  new AbortListener(subscriber, keys).onAbort((abort) => aborts.push(abort));
  await until('the subscription is there', async () => {
    await redis.publish(keys.aborts(), JSON.stringify({ jobId: 'probe' }));
    return aborts.length > 0;
  });
  // Some units had no task, or are done already.
  const units = Array.from({ length: 1203 }, (_, unit) => unit).filter((unit) => unit % 10 !== 0);
  await producer.enqueue(units.map((unit) => task('gone', unit)));
  await producer.enqueue([task('kept', 0), task('kept', 1)]);

  const errors: unknown[] = [];
  const work = new AbandonedWork(new Aborts(redis, keys), producer, (error) => errors.push(error));
  work.drop({ id: 'gone', model: 'm', lane: 'bulk', units: 1203 });
  await work.idle();

  expect(errors).toEqual([]);
  const left = await queue.getJobs(['wait']);
  expect(left.map((job) => job.id).sort()).toEqual(['kept-0', 'kept-1']);
  await until('workers were told', () => aborts.some((abort) => 'jobId' in abort && abort.jobId === 'gone'));
});
