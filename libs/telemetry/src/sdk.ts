import { diag, DiagLogLevel } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { VERSION } from '#contracts';

/** Otherwise a collector that is down would fill the log. */
const WARN_EVERY_MS = 60_000;

/** Starts the OpenTelemetry SDK, which reads the standard `OTEL_` variables itself. */
export function startSdk(service: string, warn: (message: string) => void): { shutdown(): Promise<void> } {
  reportTo(warn);
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': service, 'service.version': VERSION }))
    .merge(detectResources({ detectors: [envDetector] }));
  const provider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())],
  });
  provider.register();
  return provider;
}

function reportTo(warn: (message: string) => void): void {
  let last = -Infinity;
  const report = (message: string) => {
    if (performance.now() - last < WARN_EVERY_MS) return;
    last = performance.now();
    warn(`traces: ${message}`);
  };
  const ignore = () => {};
  const logger = { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore };
  diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
}
