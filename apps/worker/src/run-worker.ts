import { type Environment, unknownVariables } from '#config';
import { boot } from './boot.js';
import { drain } from './drain.js';
import type { DrainParts } from './drain.js';
import { createLog } from './log.js';
import type { Log } from './log.js';
import { createServices } from './services.js';
import type { ServicesOptions } from './services.js';

/**
 * Runs a worker in this process until SIGTERM, SIGINT or the loss of its device.
 * @throws BootError when it cannot start
 */
export async function runWorker(environment: Environment, options: ServicesOptions = {}): Promise<void> {
  const log = createLog(environment.LOG_LEVEL);
  for (const warning of unknownVariables()) log.warn(warning);
  const parts = await boot(createServices(environment, log, options));
  endOnSignals(parts, log);

  const models = parts.models.loaded.map(({ card }) => card.name).join(', ');
  console.log(`embedmill worker ready: ${models} on ${parts.models.device}, metrics ${parts.health.url}/metrics`);
}

function endOnSignals(parts: DrainParts, log: Log): void {
  let ending = false;
  const end = (code: number) => {
    if (ending) process.exit(1);
    ending = true;
    void drain(parts).then(() => process.exit(code));
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      log.info({ signal }, 'draining; the same signal again ends at once');
      end(0);
    });
  }
  parts.lifecycle.leaving.addEventListener('abort', () => {
    if (ending) return;
    log.fatal(
      { err: parts.lifecycle.leaving.reason as Error },
      'the device is lost; a supervisor has to start this worker again',
    );
    end(1);
  });
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      log.fatal({ err: error }, event);
      process.exit(1);
    });
  }
}
