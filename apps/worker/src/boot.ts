import { BullRegistrar } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import { Keys, VERSION } from '#contracts';
import type { Environment } from '#contracts';
import {
  AbortListener,
  Authenticator,
  CanaryReferences,
  HistoryRecorder,
  ModelRegistry,
  RedisCache,
  WorkerRegistry,
} from '#store';
import { startTraces } from '#telemetry';
import { Canary } from './canary/canary.js';
import type { DrainParts } from './drain.js';
import { HealthServer } from './health-server.js';
import { Heartbeat } from './heartbeat.js';
import { recordEngine } from './history.js';
import { LaneWorkers } from './lanes.module.js';
import { Lifecycle } from './lifecycle.js';
import { LiveTasks } from './live-tasks.js';
import type { Log } from './log.js';
import { WorkerMetrics } from './metrics.js';
import { Connections } from './redis.module.js';
import { refuseRivalVersion } from './rival-version.js';
import { ServedModels } from './served-models.js';

/**
 * Sets a worker going, in the order in which things can go wrong.
 * @returns what is needed to end it again. @throws BootError with one line for people.
 */
export async function boot(app: INestApplicationContext, environment: Environment, log: Log): Promise<DrainParts> {
  const lifecycle = app.get(Lifecycle);
  const metrics = app.get(WorkerMetrics);
  const models = app.get(ServedModels);
  const connections = app.get(Connections);
  const workers = app.get(WorkerRegistry);
  const cache = app.get(RedisCache);
  const live = app.get(LiveTasks);
  const lanes = app.get(LaneWorkers);
  const history = app.get(HistoryRecorder);

  const traces = await startTraces('worker', environment, (message) => log.warn(message));
  await connections.ready(environment.EMBED_REDIS_PATIENCE_MS);
  metrics.watchCache(cache);
  const heartbeats: Heartbeat[] = [];
  const health = await HealthServer.start({
    host: environment.EMBED_HOST,
    port: environment.EMBED_METRICS_PORT,
    metrics,
    authenticator: app.get(Authenticator),
    checks: () => ({
      taking_tasks: lifecycle.state === 'ready',
      redis: connections.command.status === 'ready',
      heartbeat: heartbeats.every((heartbeat) => heartbeat.heard),
    }),
  });

  await models.load();
  const heartbeat = new Heartbeat({
    everyMs: environment.EMBED_HEARTBEAT_MS,
    version: VERSION,
    metricsUrl: `${health.url}/metrics`,
    lifecycle,
    models,
    metrics,
    workers,
    cards: app.get(ModelRegistry),
    log,
  });
  heartbeats.push(heartbeat);
  await heartbeat.start();
  await refuseRivalVersion(heartbeat.self, workers);
  await models.start();
  for (const { model, engine } of models.started) {
    metrics.watch(model.card.name, engine);
    recordEngine(history, model.card.name, engine);
  }
  history.start();
  const canary = new Canary({
    served: models.started,
    references: new CanaryReferences(connections.command, new Keys(environment.EMBED_KEY_PREFIX)),
    lifecycle,
    lanes,
    heartbeat,
    metrics,
    log,
    everyMs: environment.EMBED_CANARY_SECONDS * 1000,
    patienceMs: environment.EMBED_CANARY_PATIENCE_MS,
  });
  await canary.audition();

  app.get(AbortListener).onAbort((abort) => live.abort(abort));
  app.get(BullRegistrar).register();
  await lanes.ready();
  lifecycle.ready();
  await heartbeat.beat();
  canary.start();
  return {
    drainMs: environment.EMBED_DRAIN_MS,
    lifecycle,
    heartbeat,
    lanes,
    models,
    canary,
    history,
    health,
    connections,
    traces,
    log,
  };
}
