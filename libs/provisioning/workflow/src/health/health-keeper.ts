import { ClientRepository, type Client, type Health } from '@agent-controller/clients';
import { SingleFlight, type Clock, type Logger } from '@agent-controller/kernel';
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

/** So many are claimed together at least, and what was seen of them is saved together. */
const CLAIM_SIZE = 100;
/** A job should not last. */
const SHIFT_MS = 20_000;
/** While more are due than this controller looks at. */
const ASK_FOR_HELP_EVERY_MS = 2_000;
/** Shifts in an interval at most, so that looks of servers that are due at about the same time are saved together. */
const SHIFTS_PER_INTERVAL = 20;
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

/** One shift of looks. */
interface Shift {
  signal: AbortSignal;
  /** By `performance.now()`: nothing is claimed after it. */
  ends: number;
  /** Claimed, and not looked at. */
  rest: DueAgent[];
  clients: Map<string, Client>;
  /** Claimed, and nothing was seen of them. */
  open: Set<string>;
  /** Not saved yet. */
  seen: Map<string, Seen>;
  /** The last claim got as many as it asked for. */
  isBehind: boolean;
}

/**
 * Goes on looking at agent-managers that are ready. Several controllers may be on duty: each look is claimed first. One
 * that has more to do than it can asks for the others.
 */
@Injectable()
export class HealthKeeper {
  #isOnDuty = false;
  #askedForHelpAt = -Infinity;

  constructor(
    private readonly rows: HealthRepository,
    private readonly clients: ClientRepository,
    private readonly health: AgentHealth,
    private readonly events: EventLog,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** One shift; asks for the next one while there are agent-managers to look at. */
  async run(signal: AbortSignal): Promise<void> {
    // Asked for help by itself.
    if (this.#isOnDuty) return;
    this.#isOnDuty = true;
    const isBehind = await this.shift(signal).finally(() => (this.#isOnDuty = false));
    const nextMs = await this.rows.nextDueMs();
    if (nextMs === null) return;
    const pause = isBehind ? 0 : Math.max(MIN_DELAY_MS, this.options.healthCheckIntervalMs / SHIFTS_PER_INTERVAL);
    await enqueueHealthLooks(this.rows.manager, Math.max(pause, nextMs));
  }

  /**
   * Several at a time, but never so many that servers which are being installed wait for them. One that does not answer
   * takes up its own place alone.
   * @returns whether more may be due
   */
  private async shift(signal: AbortSignal): Promise<boolean> {
    const shift: Shift = {
      ...{ signal, ends: performance.now() + SHIFT_MS, rest: [], clients: new Map() },
      ...{ open: new Set(), seen: new Map(), isBehind: true },
    };
    const places = Math.max(1, Math.floor(this.options.agentConnections / 2));
    const claims = new SingleFlight<'claim', void>();
    const place = async () => {
      for (;;) {
        if (shift.rest.length === 0) await claims.run('claim', () => this.claim(shift, Math.max(CLAIM_SIZE, places)));
        const next = shift.rest.shift();
        if (!next || signal.aborted) return;
        const look = await this.look(shift.clients.get(next.clientId), signal);
        // A look that our own end cut short says nothing.
        if (!look || signal.aborted) continue;
        shift.seen.set(next.id, { look, at: this.clock.now() });
        shift.open.delete(next.id);
      }
    };
    const ends = await Promise.allSettled(Array.from({ length: places }, place));
    await this.save(shift.seen);
    // Another controller may have them.
    if (signal.aborted) await this.rows.giveBack([...shift.open]);
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed) throw failed.reason;
    return shift.isBehind;
  }

  /** Takes more that are due, if there may be any, and saves what was seen so far; the rest is saved at the end. */
  private async claim(shift: Shift, count: number): Promise<void> {
    if (!shift.isBehind || shift.signal.aborted || performance.now() >= shift.ends) return;
    const seen = new Map(shift.seen);
    shift.seen.clear();
    await this.save(seen);
    const due = await this.rows.claim(count, this.options.healthCheckIntervalMs);
    shift.isBehind = due.length === count;
    if (shift.isBehind) await this.askForHelp();
    const clients = await this.clients.getAll(due.map(({ clientId }) => clientId));
    shift.clients = new Map(clients.map((one) => [one.id, one]));
    for (const one of due) shift.open.add(one.id);
    shift.rest.push(...due);
  }

  private async askForHelp(): Promise<void> {
    const now = performance.now();
    if (now < this.#askedForHelpAt + ASK_FOR_HELP_EVERY_MS) return;
    this.#askedForHelpAt = now;
    await enqueueHealthLooks(this.rows.manager, 0);
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
