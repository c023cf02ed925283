import { AppError, isSameText, SecretBox, type Caller } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { canonicalJson } from './canonical-json';
import type { IdempotencyKey } from './idempotency-key.entity';

/** A request that its caller may repeat. */
export interface RepeatableRequest {
  key: string;
  /** As it was parsed, before any default: defaults may change from one version to the next. */
  body: unknown;
}

type RequestHmacs = Pick<IdempotencyKey, 'requestHmac' | 'lastingHmac'>;

const PURPOSE = 'recognising repeated requests';

/** The table `idempotency_keys`. Time is the database's. */
@Injectable()
export class IdempotencyKeysService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly secretBox: SecretBox,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /**
   * @returns the client that this request led to before; null when the key is new
   * @throws AppError `idempotency-key-reused`
   */
  async clientOf(request: RepeatableRequest, { subject }: Caller): Promise<string | null> {
    const rows: (RequestHmacs & { clientId: string })[] = await this.dataSource.query(
      `SELECT client_id AS "clientId", request_hmac AS "requestHmac", lasting_hmac AS "lastingHmac" FROM idempotency_keys
       WHERE owner = $1 AND key = $2 AND expires_at > now()`,
      [subject, request.key],
    );
    const row = rows[0];
    if (!row) return null;
    if (this.isSame(request, subject, row)) return row.clientId;
    throw new AppError(
      'idempotency-key-reused',
      'This Idempotency-Key came with another body before. Use a new key for a new request.',
      { errors: [{ field: 'Idempotency-Key', message: 'stands for a request with another body' }] },
    );
  }

  /**
   * Takes the key within the transaction that accepts the request. Where another transaction has just done so, it waits
   * for its end.
   * @throws AppError `service-unavailable` when the key is taken: look it up
   */
  async claim(request: RepeatableRequest, { subject }: Caller, clientId: string, manager: EntityManager) {
    const { requestHmac, lastingHmac } = this.hmacs(request, subject);
    const rows: unknown[] = await manager.query(
      `INSERT INTO idempotency_keys AS earlier (owner, key, request_hmac, lasting_hmac, client_id, expires_at)
       VALUES ($1, $2, $3, $6, $4, now() + $5 * interval '1 millisecond')
       ON CONFLICT (owner, key) DO UPDATE
       SET request_hmac = excluded.request_hmac, lasting_hmac = excluded.lasting_hmac,
         client_id = excluded.client_id, expires_at = excluded.expires_at
       WHERE earlier.expires_at <= now()
       RETURNING key`,
      [subject, request.key, requestHmac, clientId, this.options.idempotencyRetentionMs, lastingHmac],
    );
    if (rows.length > 0) return;
    throw new AppError('service-unavailable', 'Another request with this Idempotency-Key was accepted just now.', {
      retryAfterSeconds: 1,
    });
  }

  private hmacs(request: RepeatableRequest, owner: string): { requestHmac: string; lastingHmac: string } {
    const text = canonical(request, owner);
    const [byKey = ''] = this.secretBox.deriveByKeys(PURPOSE);
    const requestHmac = hmac(byKey, text);
    return { requestHmac, lastingHmac: this.lasting(text, requestHmac) };
  }

  /** By the installation's secret, whatever became of the keys; else as an earlier release's controller knew it. */
  private isSame(request: RepeatableRequest, owner: string, { requestHmac, lastingHmac }: RequestHmacs): boolean {
    const text = canonical(request, owner);
    if (lastingHmac !== null && isSameText(this.lasting(text, requestHmac), lastingHmac)) return true;
    return this.secretBox.deriveByKeys(PURPOSE).some((secret) => isSameText(hmac(secret, text), requestHmac));
  }

  /** With the other one in it: an earlier release's controller, which takes an expired row, leaves this one as it was. */
  private lasting(text: string, requestHmac: string): string {
    return hmac(this.secretBox.derive(PURPOSE), `${requestHmac} ${text}`);
  }
}

/** Owner and key are part of it, so that equal bodies do not show as equal. */
function canonical({ key, body }: RepeatableRequest, owner: string): string {
  return canonicalJson([owner, key, body]);
}

function hmac(secret: string, text: string): string {
  return createHmac('sha256', secret).update(text).digest('base64url');
}

export function idempotencyKeyGone(clientId: string): AppError {
  return new AppError(
    'idempotency-key-gone',
    `What this Idempotency-Key led to, client ${clientId}, was deleted. Use a new key to order another server.`,
    { extensions: { clientId } },
  );
}
