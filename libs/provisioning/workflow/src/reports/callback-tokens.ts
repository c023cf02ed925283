import { isSameText, SecretBox } from '@agent-controller/kernel';
import type { Callback, Redemption } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';

type Attempt = Pick<ProvisioningReference, 'id' | 'attempt'>;
type StoredHashes = Pick<ProvisioningReference, 'callbackTokenHash' | 'bootstrapTokenHash'>;

/**
 * Tokens with which servers report and fetch their secret files: one of each kind per provisioning and attempt, made
 * from the installation's secret whenever they are needed, so that the same row gives the same bytes and only hashes are
 * stored. They outlive the keys that seal.
 */
@Injectable()
export class CallbackTokens {
  constructor(
    private readonly secretBox: SecretBox,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** @returns undefined when this controller has no public address */
  callback(reference: Attempt): Callback | undefined {
    return this.to('callbacks', reference, this.secretBox.derive(callbackPurpose(reference)));
  }

  /** What the server was, or will be, ordered with. @returns undefined when this controller has no public address */
  redemption(reference: Attempt): Redemption | undefined {
    const { id: provisioningId, attempt } = reference;
    const target = this.to('bootstrap', reference, this.bootstrapToken(reference));
    return target && { ...target, provisioningId, attempt };
  }

  /**
   * The callback whose token is good for this row. An earlier release's controller made it of its sealing key.
   * @returns undefined when that key is not there any more, or none was made
   */
  acceptedCallback(reference: Attempt & StoredHashes): Callback | undefined {
    const purpose = callbackPurpose(reference);
    const tokens = [this.secretBox.derive(purpose), ...this.secretBox.deriveByKeys(purpose)];
    const token = tokens.find((each) => tokenHash(each) === reference.callbackTokenHash);
    return token === undefined ? undefined : this.to('callbacks', reference, token);
  }

  /** What to store of an attempt's tokens. */
  storedHashes(reference: Attempt): StoredHashes {
    if (!this.options.callbacks) return { callbackTokenHash: null, bootstrapTokenHash: null };
    return {
      callbackTokenHash: tokenHash(this.secretBox.derive(callbackPurpose(reference))),
      bootstrapTokenHash: bootstrapTokenHash(this.bootstrapToken(reference), reference.attempt),
    };
  }

  private bootstrapToken({ id, attempt }: Attempt): string {
    return this.secretBox.derive(`bootstrap token of ${id}, attempt ${attempt}`);
  }

  private to(route: 'callbacks' | 'bootstrap', { id }: Attempt, token: string): Callback | undefined {
    const { callbacks } = this.options;
    if (!callbacks) return undefined;
    const url = `${callbacks.publicUrl.replace(/\/+$/, '')}/api/provisioning/${route}/${id}`;
    return { url, token, pins: callbacks.pins };
  }
}

/** Whether a row's server may report with it: with the token for that, or, before it has it, with the bootstrap token. */
export function mayReport(token: string, row: (StoredHashes & Attempt) | null): boolean {
  return isSameText(tokenHash(token), row?.callbackTokenHash ?? '') || mayRedeem(token, row);
}

/** Whether it is the bootstrap token of the row's present attempt. */
export function mayRedeem(token: string, row: (StoredHashes & Attempt) | null): boolean {
  return row !== null && isSameText(bootstrapTokenHash(token, row.attempt), row.bootstrapTokenHash ?? '');
}

function callbackPurpose({ id, attempt }: Attempt): string {
  return `callback token of ${id}, attempt ${attempt}`;
}

/** With the attempt in it: an earlier version's controller, which starts another one, leaves the column as it was. */
export function bootstrapTokenHash(token: string, attempt: number): string {
  return tokenHash(`${attempt} ${token}`);
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
