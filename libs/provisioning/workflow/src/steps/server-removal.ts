import type { CloudServer, RequestPurpose } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { SentinelService } from '../sentinel.service';
import { fail, wait, type Failure, type StepContext, type StepResult } from './step';

const LOOK_AGAIN_MS = 2_000;

/**
 * Removes every server of a provisioning, of all attempts. It says `gone` only when absence is proven: the provider
 * answers "not found", our key shows that it is the right project, and the time in which a new server may be missing
 * from the provider's answers is over.
 */
@Injectable()
export class ServerRemoval {
  constructor(private readonly sentinel: SentinelService) {}

  /** @returns 'gone', or what the step should do meanwhile */
  async run(context: StepContext): Promise<'gone' | StepResult> {
    const { reference, provider } = context;
    // No order was ever sent, so there is nothing that could exist.
    if (!canHaveServer(reference)) return 'gone';
    const proves = isProof(reference);
    const purpose = proves ? 'confirm' : 'delete';
    if (reference.serverId) {
      const state = await provider.destroy(reference.serverId, purpose);
      if (state === 'deleting') return this.deleting(context);
      if (!proves) return notFound(context, 0);
    }
    const strays = await this.findStrays(context, reference.serverId ? 'delete' : purpose);
    if (strays.length > 0) {
      for (const { id, status } of strays) if (status !== 'deleting') await provider.destroy(id);
      return this.deleting(context);
    }
    if (!proves) return notFound(context, 0);
    if (!(await this.sentinel.isVisible(provider, await this.sentinelId(context)))) return wrongProject(context);
    if (this.mayStillAppear(context)) {
      return notFound(context, LOOK_AGAIN_MS);
    }
    return 'gone';
  }

  private deleting({ reference, now }: StepContext): StepResult {
    return wait(LOOK_AGAIN_MS, {
      patch: {
        destroyRequestedAt: reference.destroyRequestedAt ?? now,
        serverStatus: 'deleting',
        observedAt: now,
        lastSeen: 'The provider is deleting the server',
      },
    });
  }

  /** Servers of ours besides the known one: from an order whose answer was lost. */
  private async findStrays(
    { reference, provider, instance }: StepContext,
    purpose: RequestPurpose,
  ): Promise<CloudServer[]> {
    const owner = { instanceId: instance.instanceId, provisioningId: reference.id };
    return (
      (await provider.findByOwner(owner, purpose))
        .filter((server) => server.status !== 'deleting' || server.id !== reference.serverId)
        // A step that was frozen and lost its lease may meet the server that replaces this one by now.
        .filter(({ owner }) => reference.phase !== 'replacing' || !owner || owner.attempt <= reference.attempt)
    );
  }

  // None only where a person who is sure made the row forget it (docs/operations.md): then the project's present one.
  private async sentinelId({ reference, provider, instance }: StepContext): Promise<string> {
    return reference.sentinelId ?? this.sentinel.ensure(provider, instance);
  }

  private mayStillAppear({ reference, now, visibilityGraceMs }: StepContext): boolean {
    if (reference.destroyRequestedAt || !reference.createRequestedAt) return false;
    return now.getTime() - reference.createRequestedAt.getTime() < visibilityGraceMs;
  }
}

/** Whether an order was ever sent, or not surely in vain. */
export function canHaveServer({
  serverId,
  createRequestedAt,
}: Pick<StepContext['reference'], 'serverId' | 'createRequestedAt'>): boolean {
  return serverId !== null || createRequestedAt !== null;
}

/** Whether a request before this one was answered so that no server of the row is known to run. */
function isProof({ destroyRequestedAt, missingSince }: StepContext['reference']): boolean {
  return destroyRequestedAt !== null || missingSince !== null;
}

/** Kept before more is asked: who begins a proof must be able to end it. */
function notFound({ reference, now }: StepContext, delayMs: number): StepResult {
  return wait(delayMs, {
    patch: {
      missingSince: reference.missingSince ?? now,
      lastSeen: 'No server is seen; looking again before that is believed',
    },
  });
}

function wrongProject({ reference, provider }: StepContext): StepResult {
  const failure: Failure = {
    code: 'wrong-project',
    message:
      `${provider.displayName} does not find server ${reference.serverId ?? '(id unknown)'}, nor the key that proves ` +
      'that the token belongs to the project in which the server was made. The server may still run.',
    action:
      "Configure the API token of the server's own project and delete again. See docs/operations.md, wrong-project.",
  };
  // It was missing there, where it never was.
  return fail(failure, { patch: { missingSince: null } });
}
