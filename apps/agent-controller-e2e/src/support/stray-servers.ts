import { randomUUID } from 'node:crypto';
import { emulatorUrl } from './emulator-admin';

export type Provider = 'hetzner' | 'digital-ocean';

export interface Labels {
  instanceId: string;
  provisioningId?: string;
  attempt?: number;
}

const PATHS = { hetzner: '/hetzner/v1/servers', 'digital-ocean': '/digitalocean/v2/droplets' };

/** What happens to a provider's project behind the controllers' backs, by the provider's own API. */
export class StrayServers {
  constructor(private readonly token: string) {}

  /** A server that carries the labels of an installation. @returns its id */
  async order(provider: Provider, { instanceId, provisioningId = randomUUID(), attempt = 1 }: Labels): Promise<string> {
    const name = `stray-${randomUUID().slice(0, 8)}`;
    const labels = {
      'managed-by': 'agent-controller',
      'agent-controller/instance': instanceId,
      'agent-controller/provisioning': provisioningId,
      'agent-controller/attempt': String(attempt),
    };
    const tags = [`ac-instance:${instanceId}`, `ac-provisioning:${provisioningId}`, `ac-attempt:${attempt}`];
    const body = {
      hetzner: { name, server_type: 'cx33', image: 'debian-13', location: 'fsn1', labels },
      'digital-ocean': {
        name,
        size: 's-2vcpu-4gb',
        region: 'fra1',
        image: 'debian-13-x64',
        tags: ['agent-controller', ...tags],
      },
    }[provider];
    const answer = await this.call('POST', PATHS[provider], body);
    if (!answer.ok) throw new Error(`The emulator refuses the order: ${await answer.text()}`);
    const made = (await answer.json()) as { server?: { id: number }; droplet?: { id: number } };
    return String(made.server?.id ?? made.droplet?.id);
  }

  async remove(provider: Provider, id: string): Promise<void> {
    await this.call('DELETE', `${PATHS[provider]}/${id}`);
  }

  async exists(provider: Provider, id: string): Promise<boolean> {
    return (await this.call('GET', `${PATHS[provider]}/${id}`)).status !== 404;
  }

  /** A Hetzner server gets another name, or is switched off. */
  async rename(id: string, name: string): Promise<void> {
    await this.call('PUT', `${PATHS.hetzner}/${id}`, { name });
  }

  private call(method: string, path: string, body?: object): Promise<Response> {
    return fetch(emulatorUrl() + path, {
      method,
      headers: {
        authorization: `Bearer ${this.token}`,
        ...(body ? { 'content-type': 'application/json' } : {}),
      },
      body: body && JSON.stringify(body),
    });
  }
}
