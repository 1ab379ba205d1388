/**
 * Entry of a process with several complete workers on simulated devices: each has its own consumers, task processor,
 * store, heartbeat and registry, those of `apps/worker`. For benchmarks only. The parent process passes what to
 * simulate, and doubles the workers with SIGUSR2.
 */
import { readEnvironment } from '#config';
import { boot } from '../../apps/worker/src/boot.js';
import { drain, type DrainParts } from '../../apps/worker/src/drain.js';
import { createLog } from '../../apps/worker/src/log.js';
import { createServices } from '../../apps/worker/src/services.js';
import { simulatedModels } from './simulated-models.js';
import { saysWorkers, type SimulatedWorkersOptions } from './simulated-workers-options.js';

const options = JSON.parse(process.argv[2] ?? '') as SimulatedWorkersOptions;
const environment = readEnvironment();
const log = createLog(environment.LOG_LEVEL);
const source = simulatedModels(environment, options);

const workers: DrainParts[] = [];
// Before the process prints that it is ready: a signal without a listener would end it.
process.on('SIGUSR2', () => void grow(2 * workers.length));
process.on('SIGTERM', () => void Promise.all(workers.map(drain)).then(() => process.exit(0)));
await grow(options.workers);

async function grow(count: number): Promise<void> {
  while (workers.length < count) {
    workers.push(await boot(createServices(environment, log, { source })));
  }
  console.log(`${saysWorkers(workers.length)} metrics ${workers[0]!.health.url}/metrics`);
}
