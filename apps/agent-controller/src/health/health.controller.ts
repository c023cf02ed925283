import { Public } from '@agent-controller/access';
import { CloudProviderRegistry } from '@agent-controller/cloud-port';
import type { HealthReadyView } from '@agent-controller/contracts';
import { AppError } from '@agent-controller/kernel';
import { ProviderBudgets } from '@agent-controller/provisioning-workflow';
import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DataSource } from 'typeorm';

const READY_EXAMPLE: HealthReadyView = {
  status: 'ok',
  database: 'ok',
  providers: ['hetzner'],
  providerDetails: [
    {
      ...{ type: 'hetzner', circuit: 'closed', openSince: null, retryAt: null },
      budget: { limit: 3600, remaining: 3127, asOf: '2026-11-23T11:59:58.000Z' },
    },
  ],
};

@ApiTags('operations')
@Public()
@Controller('health')
export class HealthController {
  constructor(
    private readonly dataSource: DataSource,
    private readonly providers: CloudProviderRegistry,
    private readonly budgets: ProviderBudgets,
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
  @ApiOkResponse({ schema: { example: { status: 'ok' } } })
  live() {
    return { status: 'ok' };
  }

  @Get('ready')
  @ApiOperation({
    summary: 'Whether the database answers; with the providers, which do not make it unready when they are away',
  })
  @ApiOkResponse({ schema: { example: READY_EXAMPLE } })
  async ready(): Promise<HealthReadyView> {
    const conditions = await orUnavailable(this.budgets.conditions());
    await this.askDatabase();
    return {
      status: 'ok',
      database: 'ok',
      providers: this.providers.all().map(({ type }) => type),
      providerDetails: conditions.map(({ openSince, retryAt, budget, ...condition }) => ({
        ...condition,
        openSince: openSince?.toISOString() ?? null,
        retryAt: retryAt?.toISOString() ?? null,
        budget: budget && { ...budget, asOf: budget.asOf?.toISOString() ?? null },
      })),
    };
  }

  private async askDatabase(): Promise<void> {
    await orUnavailable(this.dataSource.query('SELECT 1'));
  }
}

async function orUnavailable<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (cause) {
    throw new AppError('service-unavailable', 'The database does not answer.', { cause, retryAfterSeconds: 5 });
  }
}
