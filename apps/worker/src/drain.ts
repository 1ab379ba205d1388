import { DeadlineError, within } from '#contracts';
import type { HistoryRecorder } from '#store';
import type { Traces } from '#telemetry';
import type { Connections } from './connections.js';
import type { Lifecycle } from './lifecycle.js';
import type { HealthServer } from './operation/health-server.js';
import type { Heartbeat } from './operation/heartbeat.js';
import type { Log } from './operation/log.js';
import type { ServedModels } from './process/served-models.js';
import type { LaneWorkers } from './queue/lane-workers.js';
import type { Canary } from './self-test/canary.js';

/** Time for a step that only says goodbye. */
const FAREWELL_MS = 2000;

export interface DrainParts {
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
 * Ends a worker in order, every step bounded: no longer ready, intake closed, held tasks finished (those that are not
 * within `drainMs` go back to the queue), engines, registry, Redis, the last spans.
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
  await step('ending the self-test', FAREWELL_MS, canary.end());
  void heartbeat.beat();
  const closed = lanes.close();
  if (!(await step('finishing the tasks held', drainMs, closed))) {
    lifecycle.leave(new Error('the worker is shutting down'));
    await step('returning unfinished tasks to the queue', FAREWELL_MS, closed);
  }
  await step('closing the engines', FAREWELL_MS, models.close(FAREWELL_MS));
  await step('writing the last of the history', FAREWELL_MS, history.stop());
  await step('leaving the registry', FAREWELL_MS, heartbeat.end());
  await step('closing health and metrics', FAREWELL_MS, health.close());
  connections.close();
  await traces.stop();
}
