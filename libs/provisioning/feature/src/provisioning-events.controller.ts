import { Roles } from '@agent-controller/access';
import { ClientIdPipe } from '@agent-controller/clients';
import { AppError, firstAbort } from '@agent-controller/kernel';
import { ProvisioningWatchService } from '@agent-controller/provisioning-workflow';
import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import { PassThrough } from 'node:stream';
import { callerGone, type Reply, type Request } from './http.types';
import { ProvisioningEventDto } from './provisioning-view.dto';
import { toEventView } from './provisioning.mapper';
import { writeEvents } from './server-sent-events';
import { ShutdownSignal } from './shutdown.signal';

@ApiTags('provisioning')
@ApiBearerAuth()
@Roles('viewer')
@Controller('clients')
export class ProvisioningEventsController {
  constructor(
    private readonly watch: ProvisioningWatchService,
    private readonly shutdown: ShutdownSignal,
  ) {}

  @Get(':id/provisioning/events')
  @ApiOperation({ summary: 'The log: JSON, or a stream that ends with `deleted`; kept for 24 h after deletion' })
  @ApiHeader({ name: 'Last-Event-ID', required: false, description: 'Only events after this one' })
  @ApiProduces('application/json', 'text/event-stream')
  @ApiOkResponse({ type: [ProvisioningEventDto] })
  @ApiNoContentResponse({ description: 'A stream that would hold nothing: it ended with `deleted` before' })
  async events(@Param('id', ClientIdPipe) id: string, @Req() request: Request, @Res() reply: Reply): Promise<void> {
    const after = lastEventId(request.headers['last-event-id']);
    const events = await this.watch.events(id, request.caller, after);
    if (!request.headers.accept?.includes('text/event-stream')) {
      await reply.send(events.map(toEventView));
      return;
    }
    if (await this.watch.isOver(id, request.caller, after)) {
      // Browsers come back by themselves when a stream ends; 204 is how they are told not to.
      await reply.status(204).send();
      return;
    }
    const stream = new PassThrough();
    const signal = firstAbort(this.shutdown.signal, callerGone(reply));
    void reply.headers({ 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' });
    void writeEvents(this.watch.follow(id, after, signal), stream, signal);
    await reply.send(stream);
  }
}

function lastEventId(header: string | string[] | undefined): number {
  if (header === undefined || header === '') return 0;
  if (typeof header === 'string' && /^\d{1,9}$/.test(header)) return Number(header);
  throw new AppError('validation-failed', 'The header Last-Event-ID is not understood.', {
    errors: [{ field: 'Last-Event-ID', message: 'must be the id of an event of this log' }],
  });
}
