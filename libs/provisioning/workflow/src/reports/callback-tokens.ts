import { SecretBox } from '@agent-controller/kernel';
import type { Callback } from '@agent-controller/provisioning-bootstrap';
import { Inject, Injectable } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';

type Attempt = Pick<ProvisioningReference, 'id' | 'attempt'>;

/**
 * Tokens with which servers report: one per provisioning and attempt, made from the installation's key whenever user
 * data is rendered, so that the same row gives the same bytes and only a hash is stored.
 */
@Injectable()
export class CallbackTokens {
  constructor(
    private readonly secretBox: SecretBox,
    @Inject(WORKFLOW_OPTIONS) private readonly options: WorkflowOptions,
  ) {}

  /** @returns undefined when this controller has no public address */
  callback(reference: Attempt): Callback | undefined {
    const { callbacks } = this.options;
    if (!callbacks) return undefined;
    const url = `${callbacks.publicUrl.replace(/\/+$/, '')}/api/provisioning/callbacks/${reference.id}`;
    return { url, token: this.token(reference), pins: callbacks.pins };
  }

  /** What to store of an attempt's token. */
  storedHash(reference: Attempt): string | null {
    return this.options.callbacks ? tokenHash(this.token(reference)) : null;
  }

  private token({ id, attempt }: Attempt): string {
    return this.secretBox.derive(`callback token of ${id}, attempt ${attempt}`);
  }
}

export function tokenHash(token: string): string {
  return createHash('sha256').update(token).digest('base64url');
}
