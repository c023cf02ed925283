import { ClientRepository } from '@agent-controller/clients';
import { AppError, type Clock } from '@agent-controller/kernel';
import type { ServerFile } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { EventLog } from '../event-log';
import type { NewEvent } from '../event-rows';
import type { Phase } from '../phases';
import { ProvisioningReference } from '../provisioning-reference.entity';
import { ProvisioningRepository, type WithClient } from '../provisioning.repository';
import { CallbackLimiter } from '../reports/callback-limiter';
import { mayRedeem } from '../reports/callback-tokens';
import { timeLimitFailure } from '../time-limit';
import { filesAsked } from '../signals';
import { CLOCK } from '../tokens';
import { UserDataService } from '../user-data.service';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { BootstrapKeys } from './bootstrap-keys.repository';
import { judge, refusalEvent, type RefusalReason } from './redemption-refusal';
import { parseRedemptionRequest, type RedemptionRequest } from './redemption-request';

/** A server may ask before the provider's answer to its order has arrived. */
const REDEEMING_PHASES: readonly Phase[] = ['creating-server', 'booting', 'installing'];
/** Of one attempt: more say nothing new. */
const MAX_REFUSAL_EVENTS = 20;

/**
 * Gives servers their secret files for the token in their user data. The first who asks binds a key: from then on only
 * its owner is answered, again and again, since answers get lost, until the server says that the files are in use.
 */
@Injectable()
export class RedemptionService {
  readonly #limiter = new CallbackLimiter();

  constructor(
    private readonly provisionings: ProvisioningRepository,
    private readonly clients: ClientRepository,
    private readonly keys: BootstrapKeys,
    private readonly userData: UserDataService,
    private readonly events: EventLog,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /**
   * @param address whence the request came
   * @throws AppError `rate-limited`, or `unauthorized` whatever else is wrong
   */
  async redeem(id: string, token: string, body: unknown, address: string): Promise<ServerFile[]> {
    try {
      const files = await this.give(id, token, body, address);
      filesAsked.tell({ result: 'given' });
      return files;
    } catch (error) {
      if (error instanceof AppError) {
        filesAsked.tell({ result: error.code === 'rate-limited' ? 'rate-limited' : 'refused' });
      }
      throw error;
    }
  }

  private async give(id: string, token: string, body: unknown, address: string): Promise<ServerFile[]> {
    const retryAfterSeconds = this.#limiter.take(id, token, this.clock.now().getTime());
    if (retryAfterSeconds !== null) {
      throw new AppError('rate-limited', 'Too many requests of this server.', { retryAfterSeconds });
    }
    const seen = await this.provisionings.findWithClient(id);
    // Strangers do not get as far as the row's lock.
    if (!seen || !mayRedeem(token, seen.reference)) throw refused();
    const request = parseRedemptionRequest(body);
    const files =
      (await this.answerAtOnce(seen, request, address)) ??
      (await this.provisionings.transaction((manager) => this.answer(manager, { id, token }, request, address)));
    if (!files) throw refused();
    return files;
  }

  /**
   * As a server asks that nobody disturbs: by one statement, since a crowd of them asks at once, and waits.
   * @returns null, and nothing is written, when there may be a reason to refuse it, or the row has changed
   */
  private async answerAtOnce(
    { reference, client }: WithClient,
    request: RedemptionRequest | null,
    address: string,
  ): Promise<ServerFile[] | null> {
    const now = this.clock.now();
    if (!request || !this.isWaitedFor(reference, now)) return null;
    const { signer } = judge(reference, request, { address, isAddressTrue: this.options.knowsCallersAddress, now });
    if (signer === null) return null;
    const files = this.userData.secretFiles(reference, client);
    const event = reference.bootstrapKey === null ? fetched(address) : null;
    const isBound = await this.keys.bind(reference, { key: signer, sentAt: new Date(request.sentAt), event, at: now });
    return isBound ? files : null;
  }

  /** @returns null, committed, when there are none for who asks */
  private async answer(
    manager: EntityManager,
    { id, token }: { id: string; token: string },
    request: RedemptionRequest | null,
    address: string,
  ): Promise<ServerFile[] | null> {
    const row = await this.provisionings.lock(id, manager);
    const now = this.clock.now();
    if (!row || !mayRedeem(token, row) || !this.isWaitedFor(row, now)) return null;
    const isAddressTrue = this.options.knowsCallersAddress;
    const { signer, reason } = judge(row, request, { address, isAddressTrue, now });
    if (reason !== null || !request) {
      await this.noteRefusal(manager, row, reason ?? 'request', address);
      return null;
    }
    const client = await this.clients.get(row.clientId, manager);
    if (!client) throw new Error('A provisioning has no client');
    const files = this.userData.secretFiles(row, client);
    const bootstrapSentAt = new Date(request.sentAt);
    await manager.update(ProvisioningReference, { id }, { bootstrapKey: signer, bootstrapSentAt });
    if (row.bootstrapKey === null) await this.events.append(manager, row, [fetched(address)], now);
    return files;
  }

  private isWaitedFor(row: ProvisioningReference, now: Date): boolean {
    if (row.intent !== 'present' || !REDEEMING_PHASES.includes(row.phase) || row.sealedSecrets === null) return false;
    return timeLimitFailure(row, this.options, now) === null;
  }

  /** Each kind from each address once: who has the token could fill the log otherwise. */
  private async noteRefusal(
    manager: EntityManager,
    row: ProvisioningReference,
    reason: RefusalReason,
    address: string,
  ): Promise<void> {
    const event = refusalEvent(reason, address);
    const noted = await this.events.errorsOfAttempt(manager, row, 'bootstrap-refused');
    if (noted.length >= MAX_REFUSAL_EVENTS || noted.some(({ message }) => message === event.message)) return;
    await this.events.append(manager, row, [event], this.clock.now());
  }
}

function fetched(address: string): NewEvent {
  return { type: 'note', message: `The server's secret files were fetched, from ${address}`, data: { address } };
}

/** One answer for all: who asks learns nothing about what is right and what is wrong. */
function refused(): AppError {
  return new AppError('unauthorized', 'There are no files for this request.');
}
