import { Roles } from '@agent-controller/access';
import { ClientIdPipe, ClientService, toClientView } from '@agent-controller/clients';
import type { ClientView } from '@agent-controller/contracts';
import type { AuthenticatedRequest } from '@agent-controller/kernel';
import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBearerAuth,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import { decodeCursor, encodeCursor } from './client-cursor';
import { toChanges, toNewClient } from './client-request.mapper';
import { ClientViewDto } from './client-view.dto';
import { ClientPageDto, CreateClientDto, UpdateClientDto } from './client.dto';

const DEFAULT_LIMIT = 50;
const NAME_TAKEN = { status: 409, description: 'Another of your clients has this name' };
const NOT_CHANGEABLE = { status: 409, description: 'The name is taken, or a server was made with what is to change' };

interface HeaderReply {
  header(name: string, value: string): unknown;
}

@ApiTags('clients')
@ApiBearerAuth()
@Roles('operator')
@Controller('clients')
export class ClientsController {
  constructor(private readonly clients: ClientService) {}

  @Get()
  @Roles('viewer')
  @ApiOperation({
    summary: 'Your agent-managers (of an admin: all), newest first; the Link header leads to the next page',
  })
  @ApiOkResponse({ type: [ClientViewDto] })
  async list(
    @Query() { limit = DEFAULT_LIMIT, cursor, owner }: ClientPageDto,
    @Req() { caller }: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: HeaderReply,
  ): Promise<string> {
    const after = cursor === undefined ? undefined : decodeCursor(cursor);
    const page = await this.clients.page(caller, { limit, after, owner });
    if (page.next) {
      const of = owner === undefined ? '' : `&owner=${encodeURIComponent(owner)}`;
      reply.header('link', `</api/clients?limit=${limit}&cursor=${encodeCursor(page.next)}${of}>; rel="next"`);
    }
    reply.header('content-type', 'application/json; charset=utf-8');
    return page.json;
  }

  @Get(':id')
  @Roles('viewer')
  @ApiOperation({ summary: 'One agent-manager' })
  @ApiOkResponse({ type: ClientViewDto })
  async get(@Param('id', ClientIdPipe) id: string, @Req() { caller }: AuthenticatedRequest): Promise<ClientView> {
    return toClientView(await this.clients.get(id, caller));
  }

  @Post()
  @ApiOperation({ summary: 'Register an agent-manager that runs already' })
  @ApiCreatedResponse({ type: ClientViewDto })
  @ApiResponse(NAME_TAKEN)
  async create(
    @Body() body: CreateClientDto,
    @Req() { caller }: AuthenticatedRequest,
    @Res({ passthrough: true }) reply: HeaderReply,
  ): Promise<ClientView> {
    const client = await this.clients.create(toNewClient(body), caller);
    reply.header('location', `/api/clients/${client.id}`);
    return toClientView(client);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Change an agent-manager; of a provisioned one only name, description and protected' })
  @ApiOkResponse({ type: ClientViewDto })
  @ApiResponse(NOT_CHANGEABLE)
  async update(
    @Param('id', ClientIdPipe) id: string,
    @Body() body: UpdateClientDto,
    @Req() { caller }: AuthenticatedRequest,
  ): Promise<ClientView> {
    return toClientView(await this.clients.update(id, toChanges(body), caller));
  }

  @Post(':id')
  @HttpCode(200)
  @ApiOperation({ summary: 'The same as PATCH' })
  @ApiOkResponse({ type: ClientViewDto })
  @ApiResponse(NOT_CHANGEABLE)
  updateByPost(
    @Param('id', ClientIdPipe) id: string,
    @Body() body: UpdateClientDto,
    @Req() request: AuthenticatedRequest,
  ): Promise<ClientView> {
    return this.update(id, body, request);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({ summary: 'Forget an agent-manager; one with a server is deleted by /provisioning instead' })
  @ApiNoContentResponse()
  @ApiResponse({ status: 409, description: 'It has a server, or is protected' })
  async delete(@Param('id', ClientIdPipe) id: string, @Req() { caller }: AuthenticatedRequest): Promise<void> {
    await this.clients.delete(id, caller);
  }
}
