import { CloudError, type CloudProvider, type ManagedKey } from '@agent-controller/cloud-port';
import type { Logger } from '@agent-controller/kernel';
import { Inject, Injectable } from '@nestjs/common';
import { contentHash, isCallerKeyOf } from '../caller-key-name';
import { CallerKeysService } from '../caller-keys.service';
import { InstanceService } from '../instance.service';
import { LOGGER } from '../tokens';
import { WORKFLOW_OPTIONS, type WorkflowOptions } from '../workflow.options';
import type { ProviderSweep } from './provider-sweep.entity';
import type { SweepRun } from './sweep-run';
import { UnusedKeys } from './unused-keys.repository';

/**
 * Takes callers' keys out of the projects that no row names any more. A key that two rounds found unused is removed; a
 * later request with the same key puts it back. It must not be asked often: DigitalOcean lists keys 10 times a minute.
 */
@Injectable()
export class KeySweep {
  constructor(
    private readonly unused: UnusedKeys,
    private readonly instances: InstanceService,
    private readonly callerKeys: CallerKeysService,
    @Inject(WORKFLOW_OPTIONS) private readonly options: Pick<WorkflowOptions, 'sweep'>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Its errors are logged: servers were compared by now. */
  async run({ id, provider, startedAt }: SweepRun, state: Pick<ProviderSweep, 'keysCheckedAt'>): Promise<void> {
    const { keyIntervalMs } = this.options.sweep;
    if (state.keysCheckedAt && startedAt.getTime() - state.keysCheckedAt.getTime() < keyIntervalMs) return;
    // Also after an error: what cannot be listed is not asked for at every sweep.
    if (!(await this.unused.beginRound(provider.type, id, startedAt))) return;
    try {
      await this.sweep(provider, startedAt);
    } catch (error) {
      if (!(error instanceof CloudError)) throw error;
      this.logger.warn({ provider: provider.type, kind: error.kind, err: error }, 'the keys could not be swept');
    }
  }

  private async sweep(provider: CloudProvider, now: Date): Promise<void> {
    const { instanceId } = await this.instances.get();
    const ours = (await provider.listManagedKeys()).filter((key) => isCallerKeyOf(key, instanceId));
    const used = await this.used(provider);
    const unused = ours.filter((key) => !used.has(contentHash(key.publicKey)));
    const old = await this.unused.note(provider.type, unused, now, this.options.sweep.keyIntervalMs);
    for (const key of unused.filter(({ id }) => old.has(id))) await this.remove(provider, key);
  }

  private async remove(provider: CloudProvider, { id, name, publicKey }: ManagedKey): Promise<void> {
    // A request may have come since. One that comes after this look finds its key missing, and makes it again.
    if ((await this.used(provider)).has(contentHash(publicKey))) return;
    await provider.removeKey(id);
    this.callerKeys.forget(provider);
    await this.unused.forget(provider.type, id);
    this.logger.info({ provider: provider.type, keyId: id, keyName: name }, 'removed a key that no provisioning uses');
  }

  private async used({ type }: CloudProvider): Promise<Set<string>> {
    return new Set((await this.unused.publicKeysOfRows(type)).map(contentHash));
  }
}
