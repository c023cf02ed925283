import { Roles } from '@agent-controller/access';
import { Controller, Get, Param, Query, Req, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CatalogueAnswers } from './catalogue-answers.service';
import type { Reply, Request } from './http.types';
import { LocationDto, ProviderDto, ServerImageDto, ServerTypeDto, ServerTypesQueryDto } from './provider-view.dto';

@ApiTags('providers')
@ApiBearerAuth()
@Roles('viewer')
@Controller('clients/provisioning/providers')
export class ProvidersController {
  constructor(private readonly answers: CatalogueAnswers) {}

  @Get()
  @ApiOperation({ summary: 'The providers that this controller has a token for' })
  @ApiOkResponse({ type: [ProviderDto] })
  providers(@Req() request: Request, @Res() reply: Reply): void {
    this.answers.providers().send(request, reply);
  }

  @Get(':providerType/server-types')
  @ApiOperation({ summary: 'Server types that can be ordered, with prices and availability at each location' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [ServerTypeDto] })
  @ApiResponse({ status: 422, description: 'The provider has no such location' })
  async serverTypes(
    @Param('providerType') type: string,
    @Query() { location }: ServerTypesQueryDto,
    @Req() request: Request,
    @Res() reply: Reply,
  ): Promise<void> {
    (await this.answers.serverTypes(type, location)).send(request, reply);
  }

  @Get(':providerType/locations')
  @ApiOperation({ summary: 'Where servers can be ordered' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [LocationDto] })
  async locations(@Param('providerType') type: string, @Req() request: Request, @Res() reply: Reply): Promise<void> {
    (await this.answers.locations(type)).send(request, reply);
  }

  @Get(':providerType/images')
  @ApiOperation({ summary: 'What servers can be made from, and what the boot lab has proven of it' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [ServerImageDto] })
  async images(@Param('providerType') type: string, @Req() request: Request, @Res() reply: Reply): Promise<void> {
    (await this.answers.images(type)).send(request, reply);
  }
}
