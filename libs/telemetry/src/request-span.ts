import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { tracer } from './tracer.js';

/** What the trace of a request records about it. */
export interface TracedRequest {
  readonly method: string;
  /** The route pattern, with names of parameters instead of values. */
  readonly route: string;
  readonly id: string;
  /** W3C Trace Context headers of the client, if it sent them. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** The span of one request. */
export interface RequestSpan {
  /** Response header that identifies the trace. */
  readonly traceparent: string | undefined;
  /** Calls `work` with the span active, also in everything it awaits. */
  run(work: () => void): void;
  /** @param complete whether the client received the whole response */
  end(status: number, complete: boolean): void;
}

/** Starts the span of a request, as part of the client's trace if the client sent one. */
export function requestSpan({ id, method, route, ...sent }: TracedRequest): RequestSpan {
  // Only these two headers: a client's baggage would be passed on into the queue.
  const parent = propagation.extract(ROOT_CONTEXT, sent);
  const attributes = { 'http.request.method': method, 'http.route': route, 'embedmill.request_id': id };
  const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent);
  const inside = trace.setSpan(parent, span);
  const answer: { traceparent?: string } = {};
  propagation.inject(inside, answer);
  return {
    traceparent: answer.traceparent,
    run: (work) => context.with(inside, work),
    end(status, complete) {
      span.setAttribute('http.response.status_code', status);
      if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      else if (!complete) span.setStatus({ code: SpanStatusCode.ERROR, message: 'the client hung up' });
      span.end();
    },
  };
}
