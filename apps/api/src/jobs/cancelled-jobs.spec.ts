import { Queue } from 'bullmq';
import { jobTaskId, type JobTask, Keys, OPERATIONS, TASK_FORMAT } from '#contracts';
import { LaneProducer } from '#queue';
import { type Cancellation, CancellationListener, Cancellations, connectRedis } from '#store';
import { startRedis } from '../../../../test/support/redis.js';
import { until } from '../../../../test/support/until.js';
import { CancelledJobs } from './cancelled-jobs.js';

const server = await startRedis();
const redis = connectRedis(server.url, 'worker', 'test');
const subscriber = connectRedis(server.url, 'subscriber', 'test');
const keys = new Keys('test');
const queue = new Queue(keys.queue('m', 'bulk'), { connection: { url: server.url }, prefix: keys.queuePrefix() });
const producer = new LaneProducer(() => queue, { operations: OPERATIONS, attempts: 1 });

afterAll(async () => {
  await queue.close();
  redis.disconnect();
  subscriber.disconnect();
  await server.stop();
});

function task(jobId: string, unit: number): { id: string; lane: 'bulk'; task: JobTask } {
  const spec = { operation: 'embed', fingerprint: 'f'.repeat(16), prompt: '', truncate: 'end' as const };
  const inputs = [`${jobId} ${unit}`];
  const positions = [[unit]];
  return {
    id: jobTaskId(jobId, unit),
    lane: 'bulk',
    task: { v: TASK_FORMAT, kind: 'job', model: 'm', spec, inputs, acceptedAt: Date.now(), jobId, unit, positions },
  };
}

it('a cancelled job is told to workers and leaves the queue, the work of others stays', async () => {
  const heard: Cancellation[] = [];
  new CancellationListener(subscriber, keys).onCancel((cancellation) => heard.push(cancellation));
  await until('the subscription is there', async () => {
    await redis.publish(keys.cancellations(), JSON.stringify({ jobId: 'probe' }));
    return heard.length > 0;
  });
  // Some units had no task, or are done already.
  const units = Array.from({ length: 1203 }, (_, unit) => unit).filter((unit) => unit % 10 !== 0);
  await producer.enqueue(units.map((unit) => task('gone', unit)));
  await producer.enqueue([task('kept', 0), task('kept', 1)]);

  const errors: unknown[] = [];
  const cancelled = new CancelledJobs(new Cancellations(redis, keys), producer, (error) => errors.push(error));
  cancelled.drop({ id: 'gone', model: 'm', lane: 'bulk', units: 1203 });
  await cancelled.idle();

  expect(errors).toEqual([]);
  const left = await queue.getJobs(['wait']);
  expect(left.map((job) => job.id).sort()).toEqual(['kept-0', 'kept-1']);
  await until('workers were told', () => heard.some((one) => 'jobId' in one && one.jobId === 'gone'));
});
