import { DeadlineError, within } from '#contracts';
import type { HistoryRecorder } from '#store';
import type { Traces } from '#telemetry';
import type { Connections } from './connections.js';
import type { Lifecycle } from './lifecycle.js';
import type { HealthServer } from './operation/health-server.js';
import type { Heartbeat } from './operation/heartbeat.js';
import type { Log } from './log.js';
import type { ServedModels } from './process/served-models.js';
import type { LaneWorkers } from './queue/lane-workers.js';
import type { Canary } from './self-test/canary.js';

/** Time limit of every step but finishing tasks, ms. */
const STEP_MS = 2000;

export interface DrainParts {
  /** Time to finish the tasks held, ms. */
  readonly drainMs: number;
  readonly lifecycle: Lifecycle;
  readonly heartbeat: Heartbeat;
  readonly lanes: LaneWorkers;
  readonly models: ServedModels;
  readonly canary: Canary;
  readonly history: HistoryRecorder;
  readonly health: HealthServer;
  readonly connections: Connections;
  readonly traces: Traces;
  readonly log: Log;
}

/**
 * Shuts a worker down in order, with a time limit for each step: mark it as draining; take no further tasks and finish
 * those held (after `drainMs` the rest goes back to the queue); close the engines; write the last history; leave the
 * registry; close health and metrics, then Redis; export the last spans.
 */
export async function drain(parts: DrainParts): Promise<void> {
  const { canary, connections, drainMs, health, heartbeat, history, lanes, lifecycle, log, models, traces } = parts;
  const step = async (what: string, ms: number, work: Promise<unknown>): Promise<boolean> => {
    try {
      await within(ms, work);
      return true;
    } catch (error) {
      if (error instanceof DeadlineError) log.warn(`${what}: not done in time`);
      else log.warn({ err: error }, `${what}: failed`);
      return false;
    }
  };

  lifecycle.draining();
  await step('ending the self-test', STEP_MS, canary.end());
  void heartbeat.beat();
  const closed = lanes.close();
  if (!(await step('finishing the tasks held', drainMs, closed))) {
    lifecycle.leave(new Error('the worker is shutting down'));
    await step('returning unfinished tasks to the queue', STEP_MS, closed);
  }
  await step('closing the engines', STEP_MS, models.close(STEP_MS));
  await step('writing the last of the history', STEP_MS, history.stop());
  await step('leaving the registry', STEP_MS, heartbeat.end());
  await step('closing health and metrics', STEP_MS, health.close());
  connections.close();
  await traces.stop();
}
