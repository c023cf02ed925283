import type { LocationView, ProviderView, ServerTypeView } from '@agent-controller/contracts';
import { CatalogueService } from '@agent-controller/provisioning-workflow';
import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { LocationDto, ProviderDto, ServerTypeDto, ServerTypesQueryDto } from './provider-view.dto';

@ApiTags('providers')
@ApiBearerAuth()
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
}
