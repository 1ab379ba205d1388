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

/** How long browsers cache a CORS preflight response, s. */
const CORS_SECONDS = 600;

/** Logs JSON lines to standard output. */
export function createLog(environment: Environment): FastifyBaseLogger {
  return pino({
    level: environment.LOG_LEVEL,
    base: { service: 'api', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError },
  });
}

/** Builds the HTTP application of an API process; it does not listen yet. */
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
  return fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    requestIdHeader: false,
    genReqId: ({ headers }) => requestId(headers['x-request-id']),
    frameworkErrors: (error, request, reply) => {
      // Fastify runs no hooks for a URL that it cannot parse.
      void reply.header('x-request-id', request.id);
      sendError(reply, badUrl(error));
    },
    // No limit on the whole request, since uploads may take long. Silent clients end by Node's headersTimeout (60 s),
    // `endSlowBodies` and `Upload`.
    requestTimeout: 0,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: 500 },
  });
}

/** Must run after `observeRequests`, whose hooks apply to refused requests too, and before routes are registered. */
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

/** The client's `x-request-id` if it is 1 to 200 printable ASCII characters without spaces, else a new UUID. */
function requestId(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\x21-\x7e]{1,200}$/.test(given) ? given : randomUUID();
}

/** Adds the request id and duration to each response, in OpenAI's headers, and to log and metrics. */
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

/** The served model named in the request's body or query; `''` when there is none. */
function modelOf({ body, query }: FastifyRequest, models: readonly string[]): string {
  const named = [body, query].map((part) => (part as { model?: unknown } | null | undefined)?.model);
  return models.find((model) => named.includes(model)) ?? '';
}
