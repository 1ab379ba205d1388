import { context, propagation, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { tracer } from './tracer.js';

/** What the trace of a request is told of it. */
export interface TracedRequest {
  readonly method: string;
  /** As the server declares it: with the names of parameters, not their values. */
  readonly route: string;
  readonly id: string;
  /** W3C Trace Context of the client, if it sent any. */
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** The span of one request. */
export interface RequestSpan {
  /** For the response: names the trace. */
  readonly traceparent: string | undefined;
  /** Calls `work` inside the span, and what it awaits runs there too. */
  run(work: () => void): void;
  /** @param complete whether the client got all of the answer */
  end(status: number, complete: boolean): void;
}

/** Opens the span of a request, in the client's trace when it names one. */
export function requestSpan({ id, method, route, ...sent }: TracedRequest): RequestSpan {
  // These two headers only: a client's baggage would travel on into the queue.
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
