import type { AuditEntryView } from '@agent-controller/contracts';
import { IsAbsentOr, IsText } from '@agent-controller/validation';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsInt, IsISO8601, IsUUID, Matches, Max, Min } from 'class-validator';

const text = (example: string) => ({ type: String, nullable: true, example }) as const;

export class AuditEntryDto implements AuditEntryView {
  @ApiProperty({ example: '4711' }) id!: string;
  @ApiProperty({ format: 'date-time', example: '2026-11-23T12:00:00.000Z' }) at!: string;
  @ApiProperty(text('api-key:deploy')) subject!: string | null;
  @ApiProperty(text('operator')) role!: string | null;
  @ApiProperty({ example: 'DELETE /api/clients/:id/provisioning' }) action!: string;
  @ApiProperty(text('6f9619ff-8b86-4d01-b42d-00cf4fc964ff')) clientId!: string | null;
  @ApiProperty(text('team-agent')) clientName!: string | null;
  @ApiProperty({ example: '203.0.113.7' }) address!: string;
  @ApiProperty({ example: 202 }) status!: number;
  @ApiProperty(text('forbidden')) code!: string | null;
  @ApiProperty(text('0b8f2f64-2f0c-4f6e-9a53-0a3c3f1b6c11')) requestId!: string | null;
  @ApiProperty({ example: 1, description: 'Failed authentications of one address are summed up.' }) count!: number;
}

export class AuditQueryDto {
  @ApiPropertyOptional({ format: 'uuid' })
  @IsAbsentOr()
  @IsUUID(undefined, { message: 'must be the id of a client' })
  clientId?: string;

  @ApiPropertyOptional({ example: 'api-key:deploy' })
  @IsAbsentOr()
  @IsText(1024)
  subject?: string;

  @ApiPropertyOptional({ format: 'date-time', description: 'From then on.' })
  @IsAbsentOr()
  @IsISO8601({ strict: true, strictSeparator: true }, { message: 'must be a time in ISO 8601' })
  since?: string;

  @ApiPropertyOptional({ default: 100, minimum: 1, maximum: 500 })
  @IsAbsentOr()
  @Type(() => Number)
  @IsInt({ message: 'must be a whole number' })
  @Min(1, { message: 'must be at least 1' })
  @Max(500, { message: 'must be at most 500' })
  limit?: number;

  @ApiPropertyOptional({ description: 'From the Link header of the page before.' })
  @IsAbsentOr()
  @Matches(/^\d{1,18}$/, { message: 'must be taken from the Link header of an earlier page' })
  cursor?: string;
}
