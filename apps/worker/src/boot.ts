import { BullRegistrar } from '@nestjs/bullmq';
import { NestFactory } from '@nestjs/core';
import { VERSION } from '#contracts';
import { agreeOnSchema } from '#store';
import { startTraces } from '#telemetry';
import type { DrainParts } from './drain.js';
import { HealthServer } from './operation/health-server.js';
import { Heartbeat } from './operation/heartbeat.js';
import { recordEngine } from './operation/history.js';
import { refuseVersionConflict } from './operation/version-conflict.js';
import { ConsumersModule } from './queue/consumers.module.js';
import { LaneWorkers } from './queue/lane-workers.js';
import { Canary } from './self-test/canary.js';
import type { WorkerServices } from './services.js';

/**
 * Starts a worker: first everything that can fail, and last the consumers of the queues.
 * @returns what `drain` needs to end it. @throws BootError with a one-line message for operators.
 */
export async function boot(services: WorkerServices): Promise<DrainParts> {
  const { connections, environment, history, keys, lifecycle, log, metrics, models, workers } = services;

  const traces = await startTraces('worker', environment, (message) => log.warn(message));
  await connections.ready(services.redisPatienceMs);
  await agreeOnSchema(connections.command, keys);
  metrics.watchCache(services.cache);
  const heartbeats: Heartbeat[] = [];
  const health = await HealthServer.start({
    host: environment.EMBED_HOST,
    port: environment.EMBED_METRICS_PORT,
    metrics,
    authenticator: services.authenticator,
    checks: () => ({
      taking_tasks: lifecycle.state === 'ready',
      redis: connections.command.status === 'ready',
      heartbeat: heartbeats.every((heartbeat) => heartbeat.lastBeatOk),
    }),
  });

  await models.load();
  const heartbeat = new Heartbeat({
    everyMs: services.heartbeatMs,
    version: VERSION,
    metricsUrl: `${health.url}/metrics`,
    lifecycle,
    models,
    metrics,
    workers,
    cards: services.cards,
    log,
  });
  heartbeats.push(heartbeat);
  await heartbeat.start();
  await refuseVersionConflict(heartbeat.self, workers);
  await models.start();
  for (const { model, engine } of models.started) {
    metrics.watch(model.card.name, engine);
    recordEngine(history, model.card.name, engine);
  }
  history.start();

  // No logger: Nest would log a BootError a second time.
  const app = await NestFactory.createApplicationContext(ConsumersModule.for(services), {
    logger: false,
    abortOnError: false,
  });
  const lanes = app.get(LaneWorkers);
  const canary = new Canary({
    served: models.started,
    operations: services.operations,
    references: services.canaryReferences,
    lifecycle,
    lanes,
    heartbeat,
    metrics,
    log,
    everyMs: environment.EMBED_CANARY_SECONDS * 1000,
    patienceMs: services.selfTestPatienceMs,
  });
  await canary.check();

  services.cancellationListener.onCancel((cancellation) => services.live.cancel(cancellation));
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
