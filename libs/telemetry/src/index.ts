export { currentTrace, type TraceHandle } from './current-trace.js';
export { describeSpan, inSpan } from './spans.js';
export { requestSpan, type RequestSpan } from './request-span.js';
export { startTraces, type Traces } from './traces.js';
