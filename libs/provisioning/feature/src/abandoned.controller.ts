import { Roles } from '@agent-controller/access';
import type { AbandonedServerView } from '@agent-controller/contracts';
import { AbandonmentService } from '@agent-controller/provisioning-workflow';
import { Controller, Get, Query, Req } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { toAbandonedView } from './abandoned.mapper';
import { AbandonedQueryDto, AbandonedServerDto } from './abandoned-server-view.dto';
import type { Request } from './http.types';

const DEFAULT_LIMIT = 50;

@ApiTags('provisioning')
@ApiBearerAuth()
@Roles('viewer')
@Controller('clients/provisioning')
export class AbandonedController {
  constructor(private readonly abandonments: AbandonmentService) {}

  @Get('abandoned')
  @ApiOperation({ summary: 'Servers that you gave up without deleting them, the newest first; kept for ever' })
  @ApiOkResponse({ type: [AbandonedServerDto] })
  async list(
    @Query() { limit = DEFAULT_LIMIT }: AbandonedQueryDto,
    @Req() { caller }: Request,
  ): Promise<AbandonedServerView[]> {
    return (await this.abandonments.list(caller, limit)).map(toAbandonedView);
  }
}
