import { Public } from '@agent-controller/access';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';

@ApiTags('operations')
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly providers: CloudProviderRegistry,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Whether the controller works; needs no key' })
  @ApiOkResponse({ schema: { example: { status: 'ok', timestamp: '2026-11-23T12:00:00.000Z' } } })
  async health() {
    await this.askDatabase();
    return { status: 'ok', timestamp: new Date().toISOString() };
  }

  @Get('live')
  @ApiOperation({ summary: 'Whether the process answers at all' })
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({ summary: 'Whether the database answers' })
  async ready() {
    await this.askDatabase();
    return { status: 'ok', database: 'ok', providers: this.providers.all().map(({ type }) => type) };
  }

  private async askDatabase(): Promise<void> {
    try {
      await this.dataSource.query('SELECT 1');
    } catch (cause) {
      throw new AppError('service-unavailable', 'The database does not answer.', { cause, retryAfterSeconds: 5 });
    }
  }
}
