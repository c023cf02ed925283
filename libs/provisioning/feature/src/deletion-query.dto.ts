import { IsAbsentOr } from '@agent-controller/validation';
import { ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IsAbandonReason, MAX_REASON } from './abandon-reason.decorator';

export class DeletionQueryDto {
  @ApiPropertyOptional({
    enum: ['true', 'false'],
    description: 'Forgets the server instead of deleting it: it stays as it is, and billed. Kept on record for ever.',
  })
  @IsAbsentOr()
  @IsIn(['true', 'false'], { message: 'must be true or false' })
  abandon?: 'true' | 'false';

  @ApiPropertyOptional({
    minLength: 1,
    maxLength: MAX_REASON,
    description: 'Why; required with abandon=true, and refused without.',
    example: 'The account was closed, see ticket 4711',
  })
  @IsAbandonReason()
  reason?: string;
}
