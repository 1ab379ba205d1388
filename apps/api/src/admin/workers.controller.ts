import { Controller, Delete, HttpCode, Param, Req } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '#contracts';
import { WorkerRegistry } from '#store';
import { Audit } from '../access/audit.js';

@ApiTags('admin')
@Controller('admin/v1/workers')
export class WorkersController {
  readonly #workers: WorkerRegistry;
  readonly #audit: Audit;

  constructor(workers: WorkerRegistry, audit: Audit) {
    this.#workers = workers;
    this.#audit = audit;
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiParam({ name: 'id' })
  @ApiOperation({ summary: 'Dismisses a lost worker: it is shown no more' })
  async dismiss(@Param('id') id: string, @Req() request: FastifyRequest): Promise<void> {
    const lost = (await this.#workers.lost()).find((worker) => worker.id === id);
    if (lost === undefined) {
      throw new ApiError({
        status: 404,
        code: 'worker_not_found',
        message: `There is no lost worker ${JSON.stringify(id)}: it never was, is back, or was dismissed.`,
        param: 'id',
      });
    }
    await this.#workers.remove(id);
    await this.#audit.record(request, 'worker.dismiss', id, `${lost.host}, pid ${lost.pid}`);
  }
}
