import type { AbandonedServerView, Phase, ProviderType } from '@agent-controller/contracts';
import { IsAbsentOr } from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { PHASES } from '@agent-controller/provisioning-workflow';
import { Type } from 'class-transformer';
import { IsInt, Max, Min } from 'class-validator';

const text = (example: string) => ({ type: String, nullable: true, example }) as const;

export class AbandonedServerDto implements AbandonedServerView {
  @ApiProperty({ format: 'uuid' }) provisioningId!: string;
  @ApiProperty({ format: 'uuid', example: '6f9619ff-8b86-4d01-b42d-00cf4fc964ff' }) clientId!: string;
  @ApiProperty({ example: 'team-agent' }) clientName!: string;
  @ApiProperty({ enum: ['hetzner', 'digital-ocean'] }) providerType!: ProviderType;
  @ApiProperty(text('4711')) serverId!: string | null;
  @ApiProperty(text('team-agent-6f9619ff-1')) serverName!: string | null;
  @ApiProperty(text('203.0.113.7')) publicIp!: string | null;
  @ApiProperty(text('10.0.0.2')) privateIp!: string | null;
  @ApiProperty({ example: 'cx23' }) serverType!: string;
  @ApiProperty({ example: 'fsn1' }) location!: string;
  @ApiProperty({ example: 1 }) attempt!: number;
  @ApiProperty({ enum: PHASES, example: 'failed' }) phase!: Phase;
  @ApiProperty({ type: Number, nullable: true, example: 4.75 }) monthlyCost!: number | null;
  @ApiProperty(text('EUR')) currency!: string | null;
  @ApiProperty(text('99')) sentinelId!: string | null;
  @ApiProperty({ example: 'The account was closed, see ticket 4711' }) reason!: string;
  @ApiProperty({ example: 'static-api-key' }) abandonedBy!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-23T12:00:00.000Z' }) abandonedAt!: string;
}

export class AbandonedQueryDto {
  @ApiPropertyOptional({ default: 50, minimum: 1, maximum: 200 })
  @IsAbsentOr()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(200, { message: 'must be at most 200' })
  limit?: number;
}
