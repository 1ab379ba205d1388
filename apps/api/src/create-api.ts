import { randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { pino } from 'pino';
import { accessControl, type Environment, tracesOn } from '#config';
import { loggedError, VERSION } from '#contracts';
import { guardRequests } from './access/guard-requests.js';
import { serveDashboard } from './admin/serve-dashboard.js';
import { serveQueueBoard } from './admin/serve-queue-board.js';
import { ApiModule } from './api.module.js';
import { registerContentTypes } from './http/content-types.js';
import { sendSecurityHeaders } from './http/security-headers.js';
import { sendError } from './http/send-error.js';
import { setUpOpenApi } from './http/set-up-openapi.js';
import { endSlowBodies } from './http/slow-bodies.js';
import { badUrl } from './http/to-api-error.js';
import { traceRequests } from './http/trace-requests.js';
import type { ApiMetrics } from './operation/api-metrics.js';
import type { ApiServices } from './services.js';

/** How long a browser remembers that it may ask, s. */
const CORS_SECONDS = 600;

/** JSON lines on standard output. */
export function createLog(environment: Environment): FastifyBaseLogger {
  return pino({
    level: environment.LOG_LEVEL,
    base: { service: 'api', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError },
  });
}

/** An API process, wired and not yet listening. */
export async function createApi(services: ApiServices): Promise<NestFastifyApplication> {
  const { environment, log, metrics, models, queues } = services;
  const server = createServer(log);
  registerContentTypes(server, environment.EMBED_MAX_BODY_BYTES);
  const app = await NestFactory.create<NestFastifyApplication>(ApiModule.for(services), new FastifyAdapter(server), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  observeRequests(server, metrics, models);
  if (tracesOn(environment)) traceRequests(server);
  controlAccess(app, server, services);
  setUpOpenApi(app, VERSION);
  serveDashboard(server);
  serveQueueBoard(server, queues.all);
  return app;
}

function createServer(log: FastifyBaseLogger): FastifyInstance {
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => {
      // No hook runs for a URL that no route can be looked up for.
      void reply.header('x-request-id', request.id);
      sendError(reply, badUrl(error));
    },
    // Uploads may take as long as they like; a client that says nothing at all may not.
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
  });
  // With a logger of our own its type is another one, which plugins and Nest do not take.
  return server as unknown as FastifyInstance;
}

/** Registered after the hooks that every answer needs, and before any route. */
function controlAccess(app: NestFastifyApplication, server: FastifyInstance, services: ApiServices): void {
  const { authenticator, environment, log, openRequests, sessions } = services;
  const { on, loopback, why } = accessControl(environment);
  if (on) log.info({ why }, 'API keys are asked for');
  else if (loopback) log.info({ why }, 'no API keys are asked for');
  else log.warn({ why }, 'NO API KEYS ARE ASKED FOR: whoever reaches this address may use it');
  sendSecurityHeaders(server);
  const corsOrigins = environment.EMBED_CORS_ORIGINS;
  if (corsOrigins.length > 0) app.enableCors({ origin: corsOrigins, maxAge: CORS_SECONDS });
  server.register(fastifyCookie);
  guardRequests(server, {
    authenticator,
    sessions,
    corsOrigins,
    loopbackOnly: loopback && environment.EMBED_AUTH === 'auto',
    maxBodyBytes: environment.EMBED_MAX_BODY_BYTES,
    openRequests,
  });
  endSlowBodies(server, environment.EMBED_BODY_TIMEOUT_MS);
}

/** The client's own id of the request when it is a plain word, else one of ours. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\x21-\x7e]{1,200}$/.test(given) ? given : randomUUID();
}

/** Ids and times for every request: in the headers as OpenAI gives them, in the log and in the metrics. */
function observeRequests(server: FastifyInstance, metrics: ApiMetrics, models: readonly string[]): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('x-request-id', request.id);
    done();
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    reply.header('openai-processing-ms', Math.round(reply.elapsedTime));
    done();
  });
  server.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown';
    metrics.request(request.method, route, modelOf(request, models), reply.statusCode, reply.elapsedTime / 1000);
    request.log.debug(
      { method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) },
      'request',
    );
    done();
  });
}

/** The served model that a request names in its body or query; `''` when it names none. */
function modelOf({ body, query }: FastifyRequest, models: readonly string[]): string {
  const named = [body, query].map((part) => (part as { model?: unknown } | null | undefined)?.model);
  return models.find((model) => named.includes(model)) ?? '';
}
