import { Roles } from '@agent-controller/access';
import { Controller, Get, Res } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { MetricsService } from './metrics.service';

@ApiExcludeController()
@Roles('viewer')
@Controller('metrics')
export class MetricsController {
  constructor(private readonly service: MetricsService) {}

  @Get()
  async metrics(@Res() reply: FastifyReply): Promise<void> {
    await reply.type(this.service.contentType).send(await this.service.metrics());
  }
}
