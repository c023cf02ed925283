import { Public } from '@agent-controller/access';
import { AppError } from '@agent-controller/kernel';
import { RedemptionService } from '@agent-controller/provisioning-workflow';
import { Body, Controller, Header, Headers, HttpCode, Ip, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** Where new servers fetch their secret files: not for callers. Each server has a token of its own. */
@ApiExcludeController()
@Public()
@Controller('provisioning/bootstrap')
export class BootstrapController {
  constructor(private readonly redemptions: RedemptionService) {}

  @Post(':id')
  @HttpCode(200)
  @Header('cache-control', 'no-store')
  async redeem(
    @Param('id', new ParseUUIDPipe({ exceptionFactory: refused })) id: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
    @Ip() address: string,
  ) {
    const token = /^Bearer ([\w-]{1,200})$/.exec(authorization ?? '')?.[1];
    if (!token) throw refused();
    return { files: await this.redemptions.redeem(id, token, body, address) };
  }
}

function refused(): AppError {
  return new AppError('unauthorized', 'There are no files for this request.');
}
