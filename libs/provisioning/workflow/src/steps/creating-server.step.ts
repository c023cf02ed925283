import { CloudError, serverName, type CloudServer } from '@agent-controller/cloud-port';
import { Injectable } from '@nestjs/common';
import { CallerKeysService } from '../caller-keys.service';
import { observedColumns } from '../provisioning.repository';
import { SentinelService } from '../sentinel.service';
import { UserDataService } from '../user-data.service';
import { advance, fail, ownerTag, wait, type StepContext, type StepResult } from './step';

const LOOK_AGAIN_MS = 3_000;

/** Orders the server, exactly once: whenever an earlier order may have worked, it looks for the server first. */
@Injectable()
export class CreatingServerStep {
  constructor(
    private readonly sentinel: SentinelService,
    private readonly userData: UserDataService,
    private readonly callerKeys: CallerKeysService,
  ) {}

  async run(context: StepContext): Promise<StepResult> {
    const { reference, provider, now } = context;
    const sentinelId = await this.sentinel.ensure(provider, context.instance);
    if (reference.createRequestedAt) {
      const existing = await this.keepOne(context);
      if (existing) return created(existing, context, sentinelId);
      if (now.getTime() - reference.createRequestedAt.getTime() < context.visibilityGraceMs) {
        return wait(LOOK_AGAIN_MS, {
          patch: { lastSeen: 'An order was sent; its server is not seen yet' },
        });
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
    const wanted = reference.configuration.sshKeys ?? [];
    const callerKeyIds = await this.callerKeys.ensure(provider, context.instance, wanted);
    await context.announceCreate(sentinelId);
    try {
      const server = await provider.create({
        owner,
        name: serverName(client.name, owner),
        serverType: reference.serverType,
        location: reference.location,
        image: reference.image,
        userData,
        sshKeyIds: [...new Set([sentinelId, ...callerKeyIds])],
      });
      return created(server, context, sentinelId);
    } catch (error) {
      // A key may have been removed at the provider since it was last ensured.
      if (error instanceof CloudError && (error.kind === 'invalid' || error.kind === 'not-found')) {
        this.sentinel.forget(provider.type);
        this.callerKeys.forget(provider);
      }
      throw error;
    }
  }

  /** The oldest server of this attempt. Further ones can only come from a repeated order: they are destroyed. */
  private async keepOne(context: StepContext): Promise<CloudServer | undefined> {
    const [oldest, ...others] = await context.provider.findByOwner(ownerTag(context));
    for (const other of others) await context.provider.destroy(other.id);
    return oldest;
  }
}

function created(server: CloudServer, { provider, now }: StepContext, sentinelId: string): StepResult {
  return advance('booting', {
    patch: {
      ...observedColumns(server),
      serverId: server.id,
      serverName: server.name,
      serverCreatedAt: server.createdAt,
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

function wrongProject({ provider }: StepContext): StepResult {
  return fail({
    code: 'wrong-project',
    message:
      `An order was sent to ${provider.displayName} whose answer was lost, and the token no longer sees the project ` +
      'that it was sent to. A server may run there.',
    action: 'Configure the API token of that project. Then retry, or delete.',
  });
}
