import { NestFactory } from '@nestjs/core';
import { pino } from 'pino';
import { environmentSchema } from '#config';
import { startRedis } from '../../../test/support/redis.js';
import { ApiModule } from './api.module.js';
import { createServices } from './services.js';

const server = await startRedis();
const services = createServices(environmentSchema.parse({ REDIS_URL: server.url }), pino({ level: 'silent' }));

afterAll(async () => {
  const { connections, inbox, queues, recorder } = services;
  await recorder.stop();
  inbox.close();
  await queues.close();
  connections.close();
  await server.stop();
});

it('every controller gets the services it asks for, and each is the one that was made', async () => {
  await services.connections.ready(10_000);
  const { controllers = [], providers = [] } = ApiModule.for(services);
  const app = await NestFactory.createApplicationContext(ApiModule.for(services), {
    logger: false,
    abortOnError: false,
  });
  for (const controller of controllers) expect(app.get(controller)).toBeInstanceOf(controller);
  for (const provider of providers) {
    if (!('useValue' in provider) || typeof provider.provide !== 'function') continue;
    expect(app.get(provider.provide)).toBe(provider.useValue);
  }
  await app.close();
});
