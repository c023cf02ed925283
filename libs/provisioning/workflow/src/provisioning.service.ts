import { Client, ClientRepository, unlessTaken } from '@agent-controller/clients';
import { AppError, currentTraceParent, type Caller, type Clock } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AcceptingRepository } from './accepting.repository';
import { agentEndpoint } from './agent/agent-target';
import { DeletionGuard } from './deletion/deletion-guard.service';
import { EventLog } from './event-log';
import type { NewEvent } from './event-rows';
import {
  idempotencyKeyGone,
  IdempotencyKeysService,
  type RepeatableRequest,
} from './idempotency/idempotency-keys.service';
import { CallersFirst } from './jobs/callers-first';
import { enqueueStep } from './jobs/job-queue';
import { SETTLED_PHASES } from './phases';
import type { ProvisionRequest } from './provision-request';
import type { NewProvisioning } from './provisioning-factory.service';
import { ProvisioningReference } from './provisioning-reference.entity';
import { ProvisioningRepository } from './provisioning.repository';
import { RequestCheckService } from './request-check.service';
import { StepCommit } from './step-commit.service';
import type { Patch } from './steps/step';
import { CLOCK } from './tokens';

/** A provisioning with the API key that its caller has not been told yet; null when there is none to tell. */
export interface StartedProvisioning extends NewProvisioning {
  apiKey: string | null;
}

/** What callers can ask of a provisioning. The work itself is done by steps. */
@Injectable()
export class ProvisioningService {
  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly requests: RequestCheckService,
    private readonly idempotencyKeys: IdempotencyKeysService,
    private readonly stepCommit: StepCommit,
    private readonly events: EventLog,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly guard: DeletionGuard,
    private readonly accepting: AcceptingRepository,
    private readonly callersFirst: CallersFirst,
  ) {}

  /**
   * Saves client, reference and first job; the server follows. A request that was accepted before, as its key says,
   * saves nothing: what it led to is answered as it is now.
   * @param repeatable null when the caller gave no key
   * @throws AppError `provider-not-found`, `server-type-…`, `location-…`, `image-…`, `ssh-key-…`, `user-data-too-large`,
   * `name-taken`, `quota-exceeded`, `idempotency-key-reused`, `idempotency-key-gone`
   */
  start(request: ProvisionRequest, caller: Caller, repeatable: RepeatableRequest | null): Promise<StartedProvisioning> {
    return this.callersFirst.call(() => this.startNow(request, caller, repeatable));
  }

  private async startNow(
    request: ProvisionRequest,
    caller: Caller,
    repeatable: RepeatableRequest | null,
  ): Promise<StartedProvisioning> {
    const earlier = repeatable && (await this.startedBefore(repeatable, caller));
    if (earlier) return earlier;
    let made: NewProvisioning;
    try {
      made = await this.accept(request, caller, repeatable);
    } catch (error) {
      // An equal request may have been faster, and have the key, and the name, by now; or the commit went unanswered.
      const first = repeatable && (await this.startedBefore(repeatable, caller));
      if (first) return first;
      throw error;
    }
    return { ...made, apiKey: this.apiKey(made.client) };
  }

  /** @throws AppError `client-not-found` */
  async find(clientId: string, caller: Caller): Promise<NewProvisioning> {
    const client = await this.clients.find(clientId, caller);
    const reference = client && (await this.provisionings.findByClient(clientId));
    if (!client || !reference) throw notProvisioned(clientId, client);
    return { client, reference };
  }

  /**
   * @throws AppError `not-retryable`, `secrets-wiped`, `client-not-found`, `provider-not-configured`, and of a failed
   * deletion `client-protected`
   */
  async retry(clientId: string, caller: Caller): Promise<StartedProvisioning> {
    const { client, reference } = await this.find(clientId, caller);
    let apiKey: string | null = null;
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(reference.id, manager);
      if (!row) throw notProvisioned(clientId, null);
      if (row.phase !== 'failed') {
        throw new AppError(
          'not-retryable',
          `Only a failed provisioning can be retried; this one is in '${row.phase}'.`,
        );
      }
      const target = row.intent === 'absent' ? 'deleting' : 'replacing';
      if (target === 'replacing' && row.sealedSecrets === null) {
        throw new AppError(
          'secrets-wiped',
          'What the caller gave was wiped some time after the failure. Delete, and request anew.',
        );
      }
      if (target === 'deleting') await this.guard.assertDeletable(row, manager);
      else this.guard.assertConfigured(row);
      // It is told once, and to whom it belongs: not to an admin who helps.
      if (row.isKeyWithheld && client.owner === caller.subject) {
        apiKey = this.apiKey(client);
        await manager.update(ProvisioningReference, { id: row.id }, { isKeyWithheld: false });
      }
      if (target === 'replacing') await this.lookAgain(row, manager);
      await this.update(row, traceColumns(), manager);
      const event: NewEvent = { type: 'note', message: 'A retry was requested' };
      await this.stepCommit.begin(manager, row, target, [event], this.clock.now());
    });
    return { ...(await this.find(clientId, caller)), apiKey };
  }

  /** Notes that the caller was answered a failure instead of the API key: a retry will tell it. */
  async withholdKey(provisioningId: string): Promise<void> {
    await this.provisionings.manager.update(ProvisioningReference, { id: provisioningId }, { isKeyWithheld: true });
  }

  /**
   * Wants the server gone, for good; may be asked in every phase and repeatedly.
   * @returns whether it is gone already
   * @throws AppError `client-not-found`, `client-protected`, `provider-not-configured`
   */
  async requestDeletion(clientId: string, caller: Caller): Promise<'deleting' | 'gone'> {
    const client = await this.clients.find(clientId, caller);
    const reference = client && (await this.provisionings.findByClient(clientId));
    if (!reference) {
      if (await this.isBuried(clientId, caller)) return 'gone';
      throw notProvisioned(clientId, client);
    }
    await this.provisionings.transaction(async (manager) => {
      const row = await this.provisionings.lock(reference.id, manager);
      if (!row) return;
      await this.guard.assertDeletable(row, manager);
      await this.wantAbsent(row, manager);
    });
    return 'deleting';
  }

  /** Whether a provisioning that this caller may see was deleted, or given up, within the last 24 hours. */
  isBuried(clientId: string, caller: Caller): Promise<boolean> {
    return this.provisionings.isBuried(clientId, caller, this.clock.now());
  }

  private async accept(
    request: ProvisionRequest,
    caller: Caller,
    repeatable: RepeatableRequest | null,
  ): Promise<NewProvisioning> {
    const wanted = await this.requests.accepted(request, caller);
    const { id, name } = wanted.client;
    return unlessTaken(name, () => {
      // Nothing has to be asked within the transaction: one statement is one.
      if (!repeatable && !this.requests.hasQuotas) return this.accepting.save(wanted);
      return this.provisionings.transaction(async (manager) => {
        // First, so that an equal request waits here, and not at the name.
        if (repeatable) await this.idempotencyKeys.claim(repeatable, caller, id, manager);
        await this.requests.assertQuota(wanted, caller, manager);
        return this.accepting.save(wanted, manager);
      });
    });
  }

  /** What a request led to before; null when its key is new. */
  private async startedBefore(repeatable: RepeatableRequest, caller: Caller): Promise<StartedProvisioning | null> {
    const clientId = await this.idempotencyKeys.clientOf(repeatable, caller);
    if (clientId === null) return null;
    try {
      const found = await this.find(clientId, caller);
      return { ...found, apiKey: this.apiKey(found.client) };
    } catch (error) {
      if (error instanceof AppError && error.code === 'client-not-found') throw idempotencyKeyGone(clientId);
      throw error;
    }
  }

  /** An agent that an earlier retry gave up is asked once more, unless its server was touched. */
  private async lookAgain(row: ProvisioningReference, manager: EntityManager): Promise<void> {
    if (!row.publicIp || row.destroyRequestedAt) return;
    await this.clients.update(row.clientId, { endpoint: agentEndpoint(row.publicIp) }, manager);
  }

  private apiKey(client: Client): string | null {
    const credentials = this.clients.openCredentials(client);
    return credentials?.type === 'api_key' ? credentials.apiKey : null;
  }

  private async wantAbsent(row: ProvisioningReference, manager: EntityManager): Promise<void> {
    const first = row.intent === 'present';
    const events: NewEvent[] = first ? [{ type: 'note', message: 'Deletion was requested' }] : [];
    const settled = SETTLED_PHASES.includes(row.phase);
    const intent = first ? { intent: 'absent' as const } : {};
    await this.update(row, { ...intent, ...(first || settled ? traceColumns() : {}) }, manager);
    const now = this.clock.now();
    if (settled) {
      await this.stepCommit.begin(manager, { ...row, intent: 'absent' }, 'deleting', events, now);
    } else if (first) {
      await this.provisionings.nudge(row.id, manager);
      await this.events.append(manager, row, events, now);
      await enqueueStep(manager, row.id);
    }
  }

  private async update({ id }: ProvisioningReference, changes: Patch, manager: EntityManager): Promise<void> {
    if (Object.keys(changes).length > 0) await manager.update(ProvisioningReference, { id }, changes);
  }
}

/** What a call asks for goes on in the call's trace, if there is one. */
function traceColumns(): Pick<Patch, 'traceParent'> {
  const traceParent = currentTraceParent();
  return traceParent ? { traceParent } : {};
}

/** What was not provisioned here, or is not the caller's. */
export function notProvisioned(clientId: string, client: Client | null): AppError {
  const message = client
    ? `Client ${clientId} was not provisioned here. Use /api/clients/${clientId} instead.`
    : `There is no client ${clientId}.`;
  return new AppError('client-not-found', message);
}
