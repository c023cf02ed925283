import type { ProvisionedClientView } from '@agent-controller/contracts';
import { AppError, withTimeLimit, type Caller } from '@agent-controller/kernel';
import {
  idempotencyKeyGone,
  ProvisioningService,
  ProvisioningWatchService,
  type NewProvisioning,
  type StartedProvisioning,
} from '@agent-controller/provisioning-workflow';
import { Injectable } from '@nestjs/common';
import { callerGone, type Reply, type Request } from './http.types';
import { preferredWaitSeconds } from './prefer-header';
import { toProvisionedClient, toState } from './provisioning.mapper';
import { ShutdownSignal } from './shutdown.signal';

const RETRY_AFTER_SECONDS = 5;

interface Exchange {
  /** Null: answer at once. */
  waitSeconds: number | null;
  request: Request;
  reply: Reply;
}

/** Answers of calls that may wait for the end of what they began. */
@Injectable()
export class WaitingAnswers {
  constructor(
    private readonly provisioning: ProvisioningService,
    private readonly watch: ProvisioningWatchService,
    private readonly shutdown: ShutdownSignal,
  ) {}

  /** @throws AppError `validation-failed` */
  waitSeconds(request: Request): number | null {
    return preferredWaitSeconds(request.headers['prefer']);
  }

  pointToInfo(clientId: string, reply: Reply): void {
    void reply.header('location', infoPath(clientId)).header('retry-after', String(RETRY_AFTER_SECONDS));
  }

  /** 202, or 201 when it became ready in time. @throws AppError `provisioning-failed` when it failed in time, `idempotency-key-gone` */
  async provisioned(started: StartedProvisioning, exchange: Exchange): Promise<ProvisionedClientView> {
    this.pointToInfo(started.client.id, exchange.reply);
    if (exchange.waitSeconds === null) return toProvisionedClient(started, started.apiKey);
    try {
      return await this.settled(started, exchange);
    } catch (error) {
      // Only this answer has the API key: trouble while it waits, as with the database, must not take it away.
      if (error instanceof AppError) throw error;
      return toProvisionedClient(started, started.apiKey);
    }
  }

  private async settled(started: StartedProvisioning, exchange: Exchange): Promise<ProvisionedClientView> {
    const { request, reply } = exchange;
    const { id } = started.client;
    await this.wait(id, exchange);
    const isRepeatable = request.headers['idempotency-key'] !== undefined;
    const now = await (isRepeatable
      ? this.findUnlessGone(id, request.caller)
      : this.provisioning.find(id, request.caller));
    if (!now) throw idempotencyKeyGone(id);
    if (now.reference.phase === 'failed') {
      await this.provisioning.withholdKey(now.reference.id);
      throw failed(now);
    }
    if (now.reference.phase === 'ready') void reply.status(201).removeHeader('retry-after');
    return toProvisionedClient(now, started.apiKey);
  }

  /** 202, or 204 when all is gone. @throws AppError `provisioning-failed` when the deletion failed in time */
  async deleted(
    id: string,
    state: 'deleting' | 'gone',
    exchange: Exchange,
  ): Promise<ProvisionedClientView | undefined> {
    const { waitSeconds, request, reply } = exchange;
    if (state === 'deleting' && waitSeconds !== null) await this.wait(id, exchange);
    const now = state === 'gone' ? null : await this.findUnlessGone(id, request.caller);
    if (!now) {
      void reply.status(204);
      return undefined;
    }
    this.pointToInfo(id, reply);
    if (waitSeconds !== null && now.reference.phase === 'failed') throw failed(now);
    return toProvisionedClient(now, null);
  }

  /** It may go at any moment, also while this looks. */
  private async findUnlessGone(id: string, caller: Caller): Promise<NewProvisioning | null> {
    try {
      return await this.provisioning.find(id, caller);
    } catch (error) {
      if (await this.provisioning.isBuried(id, caller)) return null;
      throw error;
    }
  }

  private async wait(id: string, { waitSeconds, reply }: Exchange): Promise<void> {
    const signal = withTimeLimit((waitSeconds ?? 0) * 1000, this.shutdown.signal, callerGone(reply));
    await this.watch.waitUntilSettled(id, signal);
    void reply.header('preference-applied', `wait=${waitSeconds}`);
  }
}

function failed(provisioning: NewProvisioning): AppError {
  const { client, reference } = provisioning;
  const { message } = toState(reference);
  return new AppError('provisioning-failed', `${message} ${reference.lastError?.action ?? ''}`.trim(), {
    extensions: {
      clientId: client.id,
      failure: reference.lastError,
      location: infoPath(client.id),
    },
  });
}

function infoPath(clientId: string): string {
  return `/api/clients/${clientId}/provisioning/info`;
}
