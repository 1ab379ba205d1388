/**
 * Entry of a process that holds several complete workers whose devices are simulated: lanes, mill, store, heartbeat and
 * registry are `apps/worker`'s own, once for each. Part of the benchmark only; its parent passes what is simulated.
 */
import { NestFactory } from '@nestjs/core';
import { readEnvironment } from '#contracts';
import { boot } from '../../apps/worker/src/boot.js';
import { drain, type DrainParts } from '../../apps/worker/src/drain.js';
import { createLog } from '../../apps/worker/src/log.js';
import { WorkerModule } from '../../apps/worker/src/worker.module.js';
import { simulatedModels, type SimulatedModelOptions } from './simulated-models.js';

/** What the process is told in its only argument, as JSON. */
export interface SimulatedWorkersOptions extends SimulatedModelOptions {
  readonly workers: number;
}

const options = JSON.parse(process.argv[2] ?? '') as SimulatedWorkersOptions;
const environment = readEnvironment();
const log = createLog(environment.LOG_LEVEL);
const source = simulatedModels(environment, options);

const workers: DrainParts[] = [];
for (let n = 0; n < options.workers; n++) {
  const app = await NestFactory.createApplicationContext(WorkerModule.for(environment, log, source), {
    logger: false,
    abortOnError: false,
  });
  workers.push(await boot(app, environment, log));
}
process.on('SIGTERM', () => void Promise.all(workers.map(drain)).then(() => process.exit(0)));
console.log(`embedmill worker ready: ${workers.length} simulated, metrics ${workers[0]!.health.url}/metrics`);
