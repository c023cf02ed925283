import { Public } from '@agent-controller/access';
import { AppError } from '@agent-controller/kernel';
import { CallbackService } from '@agent-controller/provisioning-workflow';
import { Body, Controller, Headers, HttpCode, Param, ParseUUIDPipe, Post } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';

/** Where servers report how far they are: not for callers. Each server has a token of its own. */
@ApiExcludeController()
@Public()
@Controller('provisioning/callbacks')
export class CallbacksController {
  constructor(private readonly callbacks: CallbackService) {}

  @Post(':id')
  @HttpCode(204)
  async take(
    @Param('id', new ParseUUIDPipe({ exceptionFactory: refused })) id: string,
    @Headers('authorization') authorization: string | undefined,
    @Body() body: unknown,
  ): Promise<void> {
    const token = /^Bearer ([\w-]{1,200})$/.exec(authorization ?? '')?.[1];
    if (!token) throw refused();
    await this.callbacks.take(id, token, body);
  }
}

function refused(): AppError {
  return new AppError('unauthorized', 'Servers report with the token from their own user data.');
}
