import type {
  LocationView,
  ProviderType,
  ProviderView,
  ServerImageView,
  ServerTypeLocationView,
  ServerTypeView,
} from '@agent-controller/contracts';
import { IsAbsentOr, IsText } from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';

export class ServerTypesQueryDto {
  @ApiPropertyOptional({ example: 'fsn1', description: 'Only types that can be ordered there, with its prices.' })
  @IsAbsentOr()
  @IsText(64)
  location?: string;
}

export class ProviderDto implements ProviderView {
  @ApiProperty({ enum: ['hetzner', 'digital-ocean'] })
  type!: ProviderType;

  @ApiProperty({ example: 'Hetzner Cloud' })
  displayName!: string;
}

class ServerTypeLocationDto implements ServerTypeLocationView {
  @ApiProperty({ example: 'fsn1' })
  id!: string;

  @ApiProperty({ example: true })
  available!: boolean;

  @ApiProperty({ example: 4.15 })
  priceMonthly!: number;

  @ApiProperty({ example: 0.0066 })
  priceHourly!: number;

  @ApiProperty({ type: String, nullable: true, example: null })
  deprecatedAfter!: string | null;
}

/** Prices as billed (gross where the provider tells net from gross); memory and disk in GB. */
export class ServerTypeDto implements ServerTypeView {
  @ApiProperty({ example: 'cx23' })
  id!: string;

  @ApiProperty({ example: 'CX23' })
  name!: string;

  @ApiProperty({ example: 2 })
  cores!: number;

  @ApiProperty({ example: 4 })
  memory!: number;

  @ApiProperty({ example: 40 })
  disk!: number;

  @ApiProperty({ enum: ['x86', 'arm'] })
  architecture!: 'x86' | 'arm';

  @ApiProperty({ example: 4.15 })
  priceMonthly!: number;

  @ApiProperty({ example: 0.0066 })
  priceHourly!: number;

  @ApiProperty({ example: 'EUR' })
  currency!: string;

  @ApiProperty({ example: 'CX23' })
  description!: string;

  @ApiProperty({ type: [ServerTypeLocationDto] })
  locations!: ServerTypeLocationDto[];
}

export class ServerImageDto implements ServerImageView {
  @ApiProperty({ example: 'debian-13' })
  id!: string;

  @ApiProperty({ example: 'Debian 13' })
  description!: string;

  @ApiProperty({ example: 'debian' })
  osFamily!: string;

  @ApiProperty({ type: String, nullable: true, example: '13' })
  osVersion!: string | null;

  @ApiProperty({ enum: ['x86', 'arm'] })
  architecture!: 'x86' | 'arm';

  @ApiProperty({ example: false })
  hasDocker!: boolean;

  @ApiProperty({ example: true, description: 'The boot lab has shown that a server from it gets ready.' })
  proven!: boolean;

  @ApiProperty({ example: false, description: 'Of the account itself, such as a snapshot.' })
  isOwn!: boolean;

  @ApiProperty({ example: false })
  isDeprecated!: boolean;

  @ApiProperty({ example: 5 })
  minDisk!: number;

  @ApiProperty({ type: [String], nullable: true, example: null })
  locations!: string[] | null;
}

export class LocationDto implements LocationView {
  @ApiProperty({ example: 'fsn1' })
  id!: string;

  @ApiProperty({ example: 'Falkenstein DC Park 1' })
  name!: string;

  @ApiProperty({ example: 'DE' })
  country!: string;

  @ApiProperty({ example: 'Falkenstein' })
  city!: string;

  @ApiProperty({ example: true })
  available!: boolean;
}
