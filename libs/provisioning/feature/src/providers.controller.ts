import { Roles } from '@agent-controller/access';
import type { LocationView, ProviderView, ServerImageView, ServerTypeView } from '@agent-controller/contracts';
import { CatalogueService } from '@agent-controller/provisioning-workflow';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { toImageView } from './image-view.mapper';
import { LocationDto, ProviderDto, ServerImageDto, ServerTypeDto, ServerTypesQueryDto } from './provider-view.dto';

@ApiTags('providers')
@ApiBearerAuth()
@Roles('viewer')
@Controller('clients/provisioning/providers')
export class ProvidersController {
  constructor(private readonly catalogue: CatalogueService) {}

  @Get()
  @ApiOperation({ summary: 'The providers that this controller has a token for' })
  @ApiOkResponse({ type: [ProviderDto] })
  providers(): ProviderView[] {
    return this.catalogue.configuredProviders().map(({ type, displayName }) => ({ type, displayName }));
  }

  @Get(':providerType/server-types')
  @ApiOperation({ summary: 'Server types that can be ordered, with prices and availability at each location' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [ServerTypeDto] })
  @ApiResponse({ status: 422, description: 'The provider has no such location' })
  async serverTypes(
    @Param('providerType') type: string,
    @Query() { location }: ServerTypesQueryDto,
  ): Promise<ServerTypeView[]> {
    const serverTypes = await this.catalogue.serverTypes(type, location);
    return serverTypes.map(({ locations, ...serverType }) => ({
      ...serverType,
      locations: locations.map(({ addressPriceMonthly: _address, ...place }) => place),
    }));
  }

  @Get(':providerType/locations')
  @ApiOperation({ summary: 'Where servers can be ordered' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [LocationDto] })
  locations(@Param('providerType') type: string): Promise<LocationView[]> {
    return this.catalogue.locations(type);
  }

  @Get(':providerType/images')
  @ApiOperation({ summary: 'What servers can be made from, and what the boot lab has proven of it' })
  @ApiParam({ name: 'providerType', example: 'hetzner' })
  @ApiOkResponse({ type: [ServerImageDto] })
  async images(@Param('providerType') type: string): Promise<ServerImageView[]> {
    const images = await this.catalogue.images(type);
    return images.map(toImageView);
  }
}
