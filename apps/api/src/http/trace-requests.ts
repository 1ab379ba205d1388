import type { FastifyInstance, FastifyRequest } from 'fastify';
import { requestSpan, type RequestSpan } from '#telemetry';

/** Routes that do work for clients. Dashboard pages, probes and event streams would dominate the traces. */
const TRACED = /^\/(v1|admin\/v1\/playground)(\/|$)/;

/** Opens a span for every request to a traced route, and returns its `traceparent` in the response. */
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
  // The body is read between these hooks, in socket callbacks outside the span's context: enter it again.
  server.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request);
    if (span === undefined) done();
    else span.run(done);
  });
}

function onlyOne(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}
