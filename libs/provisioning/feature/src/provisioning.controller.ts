import { Roles } from '@agent-controller/access';
import { ClientIdPipe } from '@agent-controller/clients';
import type { ProvisionedClientView, ProvisioningInfoView } from '@agent-controller/contracts';
import {
  AbandonmentService,
  ProvisioningService,
  ProvisioningViewService,
} from '@agent-controller/provisioning-workflow';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiHeader, ApiOkResponse, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { DeletionQueryDto } from './deletion-query.dto';
import type { Reply, Request } from './http.types';
import { idempotencyKey } from './idempotency-key-header';
import { ProvisionServerDto } from './provision-server.dto';
import { toProvisionRequest } from './provision-request.mapper';
import { ProvisionedClientDto, ProvisioningInfoDto } from './provisioning-view.dto';
import { toInfo, toProvisionedClient } from './provisioning.mapper';
import { RefreshQueryDto } from './refresh-query.dto';
import { WaitingAnswers } from './waiting-answers.service';

const PREFER = { name: 'Prefer', required: false, description: '`wait=N`: answer when done, after N s at most (600)' };
const IDEMPOTENCY_KEY = {
  name: 'Idempotency-Key',
  required: false,
  description: '1 to 255 visible ASCII characters: within 24 h, the same key and body lead to the same server',
};

@ApiTags('provisioning')
@ApiBearerAuth()
@Roles('operator')
@Controller('clients')
export class ProvisioningController {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly view: ProvisioningViewService,
    private readonly abandonments: AbandonmentService,
    private readonly answers: WaitingAnswers,
  ) {}

  @Post('provisioning/provision')
  @HttpCode(202)
  @ApiOperation({ summary: 'Order a server that becomes a working agent-manager' })
  @ApiHeader(PREFER)
  @ApiHeader(IDEMPOTENCY_KEY)
  @ApiResponse({ status: 202, type: ProvisionedClientDto, description: 'Saved and on its way; see Location' })
  @ApiResponse({ status: 201, type: ProvisionedClientDto, description: 'Ready (with Prefer: wait)' })
  @ApiResponse({ status: 404, description: 'There is no such provider here' })
  @ApiResponse({ status: 409, description: 'Another of your clients has this name' })
  @ApiResponse({ status: 410, description: 'What this Idempotency-Key led to was deleted' })
  @ApiResponse({ status: 422, description: 'Not possible as asked, or the Idempotency-Key came with another body' })
  @ApiResponse({ status: 502, description: 'Failed (with Prefer: wait); the problem names clientId' })
  async provision(
    @Body() body: ProvisionServerDto,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ProvisionedClientView> {
    const waitSeconds = this.answers.waitSeconds(request);
    const key = idempotencyKey(request.headers['idempotency-key']);
    const repeatable = key === null ? null : { key, body: request.body };
    const started = await this.provisioning.start(toProvisionRequest(body), request.caller, repeatable);
    return this.answers.provisioned(started, { waitSeconds, request, reply });
  }

  @Get(':id/provisioning/info')
  @Roles('viewer')
  @ApiOperation({ summary: 'Where it stands, what it costs, and what the provider says of the server' })
  @ApiOkResponse({ type: ProvisioningInfoDto })
  async info(
    @Param('id', ClientIdPipe) id: string,
    @Query() { refresh }: RefreshQueryDto,
    @Req() { caller }: Request,
  ): Promise<ProvisioningInfoView> {
    return toInfo(await this.view.info(id, caller, refresh === 'true'), new Date());
  }

  @Post(':id/provisioning/retry')
  @HttpCode(202)
  @ApiOperation({ summary: 'Try a failed provisioning (or deletion) again' })
  @ApiResponse({ status: 202, type: ProvisionedClientDto })
  @ApiResponse({ status: 409, description: 'It has not failed, or its secrets were wiped; no token for the provider' })
  async retry(
    @Param('id', ClientIdPipe) id: string,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ProvisionedClientView> {
    const retried = await this.provisioning.retry(id, caller);
    this.answers.pointToInfo(id, reply);
    return toProvisionedClient(retried, retried.apiKey);
  }

  @Delete(':id/provisioning')
  @HttpCode(202)
  @ApiOperation({ summary: 'Delete server and client, in whatever phase, or give the server up; may be repeated' })
  @ApiHeader(PREFER)
  @ApiResponse({ status: 202, type: ProvisionedClientDto, description: 'On its way; see Location' })
  @ApiResponse({
    status: 204,
    description: 'All is gone (with Prefer: wait, or when repeated within 24 h), or given up',
  })
  @ApiResponse({ status: 409, description: 'Protected; no token for the provider; or an order is under way (abandon)' })
  async delete(
    @Param('id', ClientIdPipe) id: string,
    @Query() { abandon, reason = '' }: DeletionQueryDto,
    @Req() request: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ProvisionedClientView | undefined> {
    const waitSeconds = this.answers.waitSeconds(request);
    const state =
      abandon === 'true'
        ? await this.abandonments.abandon(id, reason, request.caller)
        : await this.provisioning.requestDeletion(id, request.caller);
    return this.answers.deleted(id, state, { waitSeconds, request, reply });
  }
}
