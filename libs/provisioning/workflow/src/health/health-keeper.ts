import { ClientRepository, type Client, type Health } from '@agent-controller/clients';
import type { Clock, Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AgentHealth, type AgentLook } from '../agent/agent-health';
import { agentTarget } from '../agent/agent-target';
import { EventLog } from '../event-log';
import { enqueueHealthLooks } from '../jobs/job-queue';
import { agentLooked } from '../signals';
import { CLOCK, LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { isInDoubt, nextHealth } from './health-rule';
import { HealthRepository, type DueAgent, type LockedHealth, type SavedHealth } from './health.repository';

/** Looks of one run at most: what they saw is saved together. */
const RUN_SIZE = 100;
/** Runs in an interval at most, so that looks of servers that are due at about the same time are saved together. */
const RUNS_PER_INTERVAL = 20;
const MIN_DELAY_MS = 250;
/** Of an interval, until a look without an answer is repeated. */
const SECOND_LOOK = 1 / 4;

/** `lost` is not seen by looking at agent-managers. */
const MESSAGES: Record<Exclude<Health, 'lost'>, string> = {
  healthy: 'The agent-manager is healthy again',
  unreachable: 'The agent-manager does not answer as it should',
  'credentials-refused': "The agent-manager refuses its clients' credentials",
};

interface Seen {
  look: AgentLook;
  at: Date;
}

/** Goes on looking at agent-managers that are ready. Two at a time do no harm: each look is claimed first. */
@Injectable()
export class HealthKeeper {
  constructor(
    private readonly rows: HealthRepository,
    private readonly clients: ClientRepository,
    private readonly health: AgentHealth,
    private readonly events: EventLog,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One run; asks for the next one while there are agent-managers to look at. */
  async run(signal: AbortSignal): Promise<void> {
    const interval = this.options.healthCheckIntervalMs;
    const due = await this.rows.claim(RUN_SIZE, interval);
    const seen = await this.lookAtAll(due, signal);
    await this.save(seen);
    if (signal.aborted) {
      // Another controller may have them.
      const ids = due.map(({ id }) => id);
      await this.rows.giveBack(ids.filter((id) => !seen.has(id)));
    }
    const nextMs = await this.rows.nextDueMs();
    if (nextMs === null) return;
    const pause = due.length === RUN_SIZE ? 0 : Math.max(MIN_DELAY_MS, interval / RUNS_PER_INTERVAL);
    await enqueueHealthLooks(this.rows.manager, Math.max(pause, nextMs));
  }

  /** Several at a time, but never so many that servers which are being installed wait for them. */
  private async lookAtAll(due: readonly DueAgent[], signal: AbortSignal): Promise<Map<string, Seen>> {
    const seen = new Map<string, Seen>();
    const clients = new Map(
      (await this.clients.getAll(due.map(({ clientId }) => clientId))).map((one) => [one.id, one]),
    );
    const rest = [...due];
    const worker = async () => {
      for (let next = rest.shift(); next && !signal.aborted; next = rest.shift()) {
        const look = await this.look(clients.get(next.clientId), signal);
        // A look that our own end cut short says nothing.
        if (look && !signal.aborted) seen.set(next.id, { look, at: this.clock.now() });
      }
    };
    const workers = Math.max(1, Math.floor(this.options.agentConnections / 2));
    await Promise.all(Array.from({ length: Math.min(workers, due.length) }, worker));
    return seen;
  }

  private async look(client: Client | undefined, signal: AbortSignal): Promise<AgentLook | null> {
    try {
      const target = client && agentTarget(client);
      const credentials = client && this.clients.openCredentials(client);
      if (!target || !credentials) return null;
      const startedAt = performance.now();
      const look = await this.health.recheck(target, credentials, signal);
      if (!signal.aborted) agentLooked.tell({ result: look.state, seconds: (performance.now() - startedAt) / 1000 });
      return look;
    } catch (error) {
      // Such as a key that is missing: the others must not suffer from it.
      this.logger.error({ err: error, clientId: client?.id }, 'an agent-manager could not be looked at');
      return null;
    }
  }

  private async save(seen: ReadonlyMap<string, Seen>): Promise<void> {
    if (seen.size === 0) return;
    const changes = await this.rows.transaction(async (manager) => {
      const locked = await this.rows.lock([...seen.keys()], manager);
      const results = locked.flatMap((row) => {
        const { look, at } = seen.get(row.id) ?? {};
        return look && at ? [{ row, look, after: { ...nextHealth(row, look, at), checkedAt: at } }] : [];
      });
      await this.rows.save(
        results.map(({ row, after }) => ({ clientId: row.clientId, ...after })),
        manager,
      );
      const doubtful = results.filter(({ row, after }) => isInDoubt(row, after)).map(({ row }) => row.id);
      await this.rows.postpone(doubtful, this.options.healthCheckIntervalMs * SECOND_LOOK, manager);
      const changed = results.filter(({ row, after }) => isNews(row, after.health));
      for (const { row, look, after } of changed) await this.tell(manager, row, look, after);
      return changed;
    });
    for (const { row, look, after } of changes) this.log(row, look, after.health);
  }

  private async tell(
    manager: EntityManager,
    row: LockedHealth,
    look: AgentLook,
    { health, since, checkedAt }: Omit<SavedHealth, 'clientId'>,
  ): Promise<void> {
    if (!health || health === 'lost') return;
    const reason = 'reason' in look ? look.reason : null;
    const message = reason ? `${MESSAGES[health]}: ${reason}` : MESSAGES[health];
    const data = { health, since: since?.toISOString() ?? null };
    await this.events.append(manager, row, [{ type: 'health', message, data }], checkedAt);
  }

  private log({ id, clientId, health: before }: LockedHealth, look: AgentLook, health: Health | null): void {
    const fields = {
      clientId,
      provisioningId: id,
      before,
      health,
      ...('reason' in look ? { reason: look.reason } : {}),
    };
    const message = 'the health of an agent-manager changed';
    if (health === 'healthy') this.logger.info(fields, message);
    else this.logger.warn(fields, message);
  }
}

/** That one is healthy at the very first look is none. */
function isNews({ health: before }: LockedHealth, after: Health | null): boolean {
  return after !== before && !(before === null && after === 'healthy');
}
