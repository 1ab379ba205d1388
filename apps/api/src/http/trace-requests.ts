import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestSpan, type RequestSpan } from '#telemetry';

/** The work that clients ask for; pages, probes and streams of the dashboard would drown it. */
const TRACED = /^\/(v1|admin\/v1\/playground)(\/|$)/;

/** Opens a span for every request that asks for work, and names its trace in the answer. */
export function traceRequests(server: FastifyInstance): void {
  const spans = new WeakMap<FastifyRequest, RequestSpan>();
  server.addHook('onRequest', (request, reply, done) => {
    const { id, headers, method, routeOptions } = request;
    const route = routeOptions.url ?? '';
    if (!TRACED.test(route)) return done();
    const span = requestSpan({
      id,
      method,
      route,
      traceparent: onlyOne(headers['traceparent']),
      tracestate: onlyOne(headers['tracestate']),
    });
    if (span.traceparent !== undefined) reply.header('traceparent', span.traceparent);
    reply.raw.once('close', () => span.end(reply.raw.statusCode, reply.raw.writableFinished));
    spans.set(request, span);
    span.run(done);
  });
  // Between these hooks the body is read, by events of a connection that knows nothing of the span.
  server.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.run(done);
  });
}

function onlyOne(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
