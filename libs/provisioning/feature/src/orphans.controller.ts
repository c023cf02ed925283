import { Roles } from '@agent-controller/access';
import type { OrphanReportView, ProvisionedClientView } from '@agent-controller/contracts';
import { OrphanAdoption, OrphanService } from '@agent-controller/provisioning-workflow';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiBody, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { Reply, Request } from './http.types';
import { AdoptServerDto, OrphanReportDto } from './orphan.dto';
import { toOrphanReport } from './orphan.mapper';
import { ProvisionedClientDto } from './provisioning-view.dto';
import { toProvisionedClient } from './provisioning.mapper';
import { WaitingAnswers } from './waiting-answers.service';

const PROVIDER = { name: 'providerType', example: 'hetzner' };
const SERVER = { name: 'serverId', example: '4711', description: "The provider's id of the server" };

@ApiTags('orphans')
@ApiBearerAuth()
@Roles('admin')
@Controller('clients/provisioning/orphans')
export class OrphansController {
  constructor(
    private readonly orphans: OrphanService,
    private readonly adoption: OrphanAdoption,
    private readonly answers: WaitingAnswers,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Servers of this installation that belong to no client, as the last sweep saw them' })
  @ApiOkResponse({ type: OrphanReportDto })
  async list(): Promise<OrphanReportView> {
    return toOrphanReport(await this.orphans.report(), new Date());
  }

  @Post('resume')
  @HttpCode(200)
  @ApiOperation({
    summary: 'End the pause after a restored backup or a changed instance id: what is there now is known',
  })
  @ApiOkResponse({ type: OrphanReportDto })
  async resume(): Promise<OrphanReportView> {
    return toOrphanReport(await this.orphans.resume(), new Date());
  }

  @Post(':providerType/:serverId/adopt')
  @HttpCode(201)
  @ApiOperation({ summary: 'Give a server a client again; with its credentials it gets ready' })
  @ApiParam(PROVIDER)
  @ApiParam(SERVER)
  @ApiBody({ type: AdoptServerDto, required: false })
  @ApiResponse({ status: 201, type: ProvisionedClientDto, description: 'Adopted; see Location' })
  @ApiResponse({ status: 404, description: 'No orphan of this installation' })
  @ApiResponse({ status: 409, description: 'The server, or its provisioning, has a client' })
  @ApiResponse({ status: 410, description: 'The server is gone by now' })
  async adopt(
    @Param('providerType') providerType: string,
    @Param('serverId') serverId: string,
    // Of the class alone: of a union nothing would be validated.
    @Body() body: AdoptServerDto,
    @Req() { caller }: Request,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<ProvisionedClientView> {
    const adopted = await this.adoption.adopt({ providerType, serverId }, { ...body }, caller);
    this.answers.pointToInfo(adopted.client.id, reply);
    return toProvisionedClient(adopted, null);
  }

  @Delete(':providerType/:serverId')
  @HttpCode(202)
  @ApiOperation({ summary: 'Destroy a server that belongs to no client; may be repeated' })
  @ApiParam(PROVIDER)
  @ApiParam(SERVER)
  @ApiResponse({ status: 202, description: 'The provider is deleting it' })
  @ApiResponse({ status: 204, description: 'It is gone' })
  @ApiResponse({ status: 404, description: 'No orphan of this installation' })
  @ApiResponse({ status: 409, description: 'The server has a client' })
  async destroy(
    @Param('providerType') providerType: string,
    @Param('serverId') serverId: string,
    @Res({ passthrough: true }) reply: Reply,
  ): Promise<void> {
    const state = await this.orphans.destroy({ providerType, serverId });
    if (state === 'gone') void reply.status(204);
  }
}
