import { randomUUID } from 'node:crypto';
import fastifyCookie from '@fastify/cookie';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import fastify, { type FastifyInstance, type FastifyRequest, LogController } from 'fastify';
import { type Logger, pino } from 'pino';
import { accessControl, type Environment, loggedError, tracesOn, VERSION } from '#contracts';
import { Authenticator, Sessions } from '#store';
import { guardRequests } from './access/guard-requests.js';
import { sendSecurityHeaders } from './access/security-headers.js';
import { AppModule } from './app.module.js';
import { registerContentTypes } from './body/content-types.js';
import { endSlowBodies } from './body/slow-bodies.js';
import { serveDashboard } from './dashboard/serve-dashboard.js';
import { serveQueueBoard } from './dashboard/serve-queue-board.js';
import { sendError } from './errors/send-error.js';
import { badUrl } from './errors/to-api-error.js';
import { Queues } from './lanes.module.js';
import { OpenRequests } from './limits/open-requests.js';
import { ApiMetrics } from './metrics/api-metrics.js';
import { setUpOpenApi } from './openapi/set-up-openapi.js';
import { traceRequests } from './trace-requests.js';

/** How long a browser remembers that it may ask, s. */
const CORS_SECONDS = 600;

/** An API process, wired and not yet listening. */
export async function createApi(environment: Environment): Promise<NestFastifyApplication> {
  const log = pino({
    level: environment.LOG_LEVEL,
    base: { service: 'api', pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err: loggedError },
  });
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
  registerContentTypes(server as unknown as FastifyInstance, environment.EMBED_MAX_BODY_BYTES);
  const app = await NestFactory.create<NestFastifyApplication>(
    AppModule.for(environment, log),
    new FastifyAdapter(server as unknown as FastifyInstance),
    { logger: false, bodyParser: false, abortOnError: false },
  );
  const models = environment.EMBED_MODELS.map(({ name }) => name);
  observeRequests(server as unknown as FastifyInstance, app.get(ApiMetrics), models);
  if (tracesOn(environment)) traceRequests(server as unknown as FastifyInstance);
  controlAccess(app, server as unknown as FastifyInstance, environment, log);
  setUpOpenApi(app, VERSION);
  serveDashboard(server as unknown as FastifyInstance);
  serveQueueBoard(server as unknown as FastifyInstance, app.get(Queues).all);
  return app;
}

/** Registered after the hooks that every answer needs, and before any route. */
function controlAccess(
  app: NestFastifyApplication,
  server: FastifyInstance,
  environment: Environment,
  log: Logger,
): void {
  const { on, loopback, why } = accessControl(environment);
  if (on) log.info({ why }, 'API keys are asked for');
  else if (loopback) log.info({ why }, 'no API keys are asked for');
  else log.warn({ why }, 'NO API KEYS ARE ASKED FOR: whoever reaches this address may use it');
  sendSecurityHeaders(server);
  const corsOrigins = environment.EMBED_CORS_ORIGINS;
  if (corsOrigins.length > 0) app.enableCors({ origin: corsOrigins, maxAge: CORS_SECONDS });
  server.register(fastifyCookie);
  guardRequests(server, {
    authenticator: app.get(Authenticator),
    sessions: app.get(Sessions),
    corsOrigins,
    loopbackOnly: loopback && environment.EMBED_AUTH === 'auto',
    maxBodyBytes: environment.EMBED_MAX_BODY_BYTES,
    openRequests: app.get(OpenRequests),
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
