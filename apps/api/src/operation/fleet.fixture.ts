import { Queue } from 'bullmq';
import { type Keys, type Lane, LANES, OPERATIONS } from '#contracts';
import { LaneControl, LaneProducer } from '#queue';
import { JobIndex, JobLedger, JobList, ModelRegistry, type RedisClient, RedisResults, WorkerRegistry } from '#store';
import { InteractiveAdmission } from '../interactive/admission.js';
import { ModelDirectory } from '../planning/model-directory.js';
import { Fleet } from './fleet.js';

/** A fleet and everything it looks at, over a Redis of the test's own. Jobs live for a minute, tasks have one attempt. */
export function fleetOver(redis: RedisClient, keys: Keys, names: readonly string[]) {
  const queues = new Map(
    names.flatMap((model) =>
      LANES.map((lane) => {
        const name = keys.queue(model, lane);
        return [name, new Queue(name, { connection: redis, prefix: keys.queuePrefix() })] as const;
      }),
    ),
  );
  const queueOf = (model: string, lane: Lane) => queues.get(keys.queue(model, lane))!;
  const producer = new LaneProducer(queueOf, { operations: OPERATIONS, attempts: 1 });
  const control = new LaneControl(queueOf);
  const index = new JobIndex(redis, keys);
  const jobs = new JobLedger(redis, keys, index, new RedisResults(redis, keys), { ttlSeconds: 60 });
  const list = new JobList(index, jobs);
  const workers = new WorkerRegistry(redis, keys);
  const registry = new ModelRegistry(redis, keys);
  const models = new ModelDirectory(registry, names);
  const admission = new InteractiveAdmission(1000);
  const fleet = new Fleet({ models, lanes: producer, control, jobs: list, workers, admission });
  const close = async () => {
    for (const queue of queues.values()) await queue.close();
  };
  return { fleet, queueOf, producer, control, jobs, list, workers, registry, models, admission, close };
}
