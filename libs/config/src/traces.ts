import type { Environment } from './environment.js';

/** Whether spans are recorded and exported. */
export function tracesOn(environment: Environment): boolean {
  const endpoint = environment.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ?? environment.OTEL_EXPORTER_OTLP_ENDPOINT;
  return endpoint !== undefined && environment.OTEL_SDK_DISABLED?.toLowerCase() !== 'true';
}
