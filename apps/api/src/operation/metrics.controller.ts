import { Controller, Get, Header } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { FleetMetrics } from './fleet-metrics.js';

@ApiTags('operation')
@Controller('metrics')
export class MetricsController {
  readonly #metrics: FleetMetrics;

  constructor(metrics: FleetMetrics) {
    this.#metrics = metrics;
  }

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4; charset=utf-8')
  @ApiOperation({ summary: 'Prometheus metrics of this process and of the queues' })
  expose(): Promise<string> {
    return this.#metrics.expose();
  }
}
