import { CloudError, serverName, type CloudServer } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { serverColumns } from '../provisioning.repository';
import type { ServerChoice } from '../provisioning.types';
import { SentinelService } from '../sentinel.service';
import { UserDataService } from '../user-data.service';
import { choiceName, choiceOfServer, nextChoice } from './order-choices';
import { mayBeGone, OrderParts } from './order-parts.service';
import { advance, fail, ownerTag, wait, type Patch, type StepContext, type StepResult } from './step';

const LOOK_AGAIN_MS = 3_000;

/** Orders the server, exactly once: whenever an earlier order may have worked, it looks for the server first. */
@Injectable()
export class CreatingServerStep {
  constructor(
    private readonly sentinel: SentinelService,
    private readonly userData: UserDataService,
    private readonly parts: OrderParts,
  ) {}

  async run(context: StepContext): Promise<StepResult> {
    const { reference, provider, now } = context;
    const sentinelId = await this.sentinel.ensure(provider, context.instance);
    if (reference.createRequestedAt) {
      const existing = await this.keepOne(context);
      if (existing) return created(existing, context, sentinelId, choiceOfServer(reference, existing));
      if (now.getTime() - reference.createRequestedAt.getTime() < context.visibilityGraceMs) {
        return wait(LOOK_AGAIN_MS, { patch: inDoubt(reference, now) });
      }
      // Where the order went to another project, its server cannot be seen from here.
      if (!(await this.sentinel.isVisible(provider, reference.sentinelId ?? sentinelId))) return wrongProject(context);
    }
    return this.order(context, sentinelId);
  }

  private async order(context: StepContext, sentinelId: string): Promise<StepResult> {
    const { reference, client, provider } = context;
    const owner = ownerTag(context);
    const userData = this.userData.render(reference, client, provider.maxUserDataBytes);
    const parts = await this.parts.ensure(context, sentinelId);
    if (!('firewall' in parts)) return parts;
    const { firewall, sshKeyIds } = parts;
    const maySend = await context.announceCreate(sentinelId, firewall.name);
    try {
      const server = await provider.create({
        owner,
        name: serverName(client.name, owner),
        serverType: reference.serverType,
        location: reference.location,
        image: reference.image,
        userData,
        sshKeyIds,
        firewall: firewall.key,
        maySend: () => maySend() && firewall.isHeld(),
      });
      return created(server, context, sentinelId);
    } catch (error) {
      // A key or the firewall may have been removed at the provider since it was last ensured.
      if (error instanceof CloudError && (error.kind === 'invalid' || error.kind === 'not-found')) {
        await this.parts.forget(provider, parts);
        if (mayBeGone(parts, error)) return askAgain(context);
      }
      const next = error instanceof CloudError && error.kind === 'capacity' ? nextChoice(reference) : null;
      if (next) return orderNext(next, reference);
      throw error;
    }
  }

  /** The oldest server of this attempt. Further ones can only come from a repeated order: they are destroyed. */
  private async keepOne(context: StepContext): Promise<CloudServer | undefined> {
    // Like a look it stops long before orders do: nothing is asked again and again for an order that may not follow.
    const [oldest, ...others] = await context.provider.findByOwner(ownerTag(context), 'look');
    for (const other of others) await context.provider.destroy(other.id);
    return oldest;
  }
}

/**
 * Nothing can be done before the doubt is over, so the clock stands still: a provider that takes no orders for an hour
 * but answers questions must not cost the provisioning. What went wrong with the order stays visible.
 */
function inDoubt({ pausedSince, pausedMs, lastError, consecutiveErrors }: StepContext['reference'], now: Date): Patch {
  return {
    lastSeen: 'An order was sent; its server is not seen yet',
    pausedSince: pausedSince ?? now,
    pausedMs,
    ...(lastError?.code === 'outcome-unknown' ? { lastError, consecutiveErrors } : {}),
  };
}

/**
 * There is no room, and surely nothing was made: the next choice, in the same attempt. Where an earlier order of it is in
 * doubt, that stays so, and is looked for before the next one is sent.
 */
function orderNext(next: ServerChoice, reference: StepContext['reference']): StepResult {
  return wait(0, {
    patch: { ...next, ...(reference.createRequestedAt ? {} : { createRequestedAt: null }) },
    events: [
      {
        type: 'note',
        message: `No room for ${choiceName(reference)}; trying ${choiceName(next)}`,
        data: { serverType: next.serverType, location: next.location },
      },
    ],
  });
}

/** @param choice what the server turned out to be, where that may not be the present choice */
function created(
  server: CloudServer,
  { provider, now }: StepContext,
  sentinelId: string,
  choice: Patch = {},
): StepResult {
  return advance('booting', {
    patch: {
      ...choice,
      ...serverColumns(server),
      sentinelId,
      observedAt: now,
      lastSeen: null,
    },
    events: [
      {
        type: 'note',
        message: `${provider.displayName} accepted the order: server ${server.name} (${server.id})`,
        data: { serverId: server.id, serverName: server.name },
      },
    ],
  });
}

/** The order may be refused for a key or a firewall that was removed: they are asked for again, and then it is ordered. */
function askAgain({ reference }: StepContext): StepResult {
  // An order that was refused made nothing; only after an earlier one must be looked first.
  const patch = reference.createRequestedAt === null ? { createRequestedAt: null } : {};
  return wait(0, {
    patch: { ...patch, lastSeen: 'The order was refused; its SSH keys and its firewall are looked for again' },
  });
}

function wrongProject({ provider }: StepContext): StepResult {
  return fail({
    code: 'wrong-project',
    message:
      `An order was sent to ${provider.displayName} whose answer was lost, and the token no longer sees the project ` +
      'that it was sent to. A server may run there.',
    action: 'Configure the API token of that project. Then retry, or delete.',
  });
}
