import { IsAbsentOr } from '@agent-controller/validation';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';

export class RefreshQueryDto {
  @ApiPropertyOptional({ enum: ['true', 'false'], description: 'Ask the provider now, however young its word is.' })
  @IsAbsentOr()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  refresh?: 'true' | 'false';
}
