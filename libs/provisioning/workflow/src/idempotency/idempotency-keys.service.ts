import { AppError, isSameText, SecretBox, type Caller } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { createHmac } from 'node:crypto';
import { DataSource, type EntityManager } from 'typeorm';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import { canonicalJson } from './canonical-json';

/** A request that its caller may repeat. */
export interface RepeatableRequest {
  key: string;
  /** As it was parsed, before any default: defaults may change from one version to the next. */
  body: unknown;
}

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
    const rows: { clientId: string; requestHmac: string }[] = await this.dataSource.query(
      `SELECT client_id AS "clientId", request_hmac AS "requestHmac" FROM idempotency_keys
       WHERE owner = $1 AND key = $2 AND expires_at > now()`,
      [subject, request.key],
    );
    const row = rows[0];
    if (!row) return null;
    // By any key of the installation, so that rotation in between does not matter.
    if (this.hmacs(request, subject).some((hmac) => isSameText(hmac, row.requestHmac))) return row.clientId;
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
    const [requestHmac] = this.hmacs(request, subject);
    const rows: unknown[] = await manager.query(
      `INSERT INTO idempotency_keys AS earlier (owner, key, request_hmac, client_id, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 millisecond')
       ON CONFLICT (owner, key) DO UPDATE
       SET request_hmac = excluded.request_hmac, client_id = excluded.client_id, expires_at = excluded.expires_at
       WHERE earlier.expires_at <= now()
       RETURNING key`,
      [subject, request.key, requestHmac, clientId, this.options.idempotencyRetentionMs],
    );
    if (rows.length > 0) return;
    throw new AppError('service-unavailable', 'Another request with this Idempotency-Key was accepted just now.', {
      retryAfterSeconds: 1,
    });
  }

  /** By the newest key first. Owner and key are part of it, so that equal bodies do not show as equal. */
  private hmacs({ key, body }: RepeatableRequest, owner: string): string[] {
    const text = canonicalJson([owner, key, body]);
    return this.secretBox
      .deriveEach(PURPOSE)
      .map((secret) => createHmac('sha256', secret).update(text).digest('base64url'));
  }
}

export function idempotencyKeyGone(clientId: string): AppError {
  return new AppError(
    'idempotency-key-gone',
    `What this Idempotency-Key led to, client ${clientId}, was deleted. Use a new key to order another server.`,
    { extensions: { clientId } },
  );
}
