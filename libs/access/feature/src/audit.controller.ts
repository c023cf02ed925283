import { AuditTrailRepository, Roles } from '@agent-controller/access';
import type { AuditEntryView } from '@agent-controller/contracts';
import { Controller, Get, Query, Res } from '@nestjs/common';
import { ApiBearerAuth, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AuditEntryDto, AuditQueryDto } from './audit-entry.dto';

const DEFAULT_LIMIT = 100;

interface HeaderReply {
  header(name: string, value: string): unknown;
}

@ApiTags('audit')
@ApiBearerAuth()
@Roles('admin')
@Controller('audit')
export class AuditController {
  constructor(private readonly trail: AuditTrailRepository) {}

  @Get()
  @ApiOperation({ summary: 'Who did what, newest first; the Link header leads to the next page' })
  @ApiOkResponse({ type: [AuditEntryDto] })
  async list(
    @Query() { limit = DEFAULT_LIMIT, cursor, since, ...filter }: AuditQueryDto,
    @Res({ passthrough: true }) reply: HeaderReply,
  ): Promise<AuditEntryView[]> {
    const wanted = { ...filter, since: since === undefined ? undefined : new Date(since), before: cursor };
    const found = await this.trail.page(wanted, limit + 1);
    const entries = found.slice(0, limit);
    const last = found.length > limit ? entries.at(-1) : undefined;
    if (last) {
      const query = new URLSearchParams({
        ...(filter.clientId === undefined ? {} : { clientId: filter.clientId }),
        ...(filter.subject === undefined ? {} : { subject: filter.subject }),
        ...(since === undefined ? {} : { since }),
        limit: String(limit),
        cursor: last.id,
      });
      reply.header('link', `</api/audit?${query.toString()}>; rel="next"`);
    }
    return entries.map(({ at, ...entry }) => ({ ...entry, at: at.toISOString() }));
  }
}
