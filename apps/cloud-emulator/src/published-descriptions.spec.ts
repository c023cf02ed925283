import { BARE_ESCAPES, OPENAPI_DIR, OpenapiChecker, type KnownDifference } from '@agent-controller/cloud-port/testing';
import { startEmulator, type RunningEmulator } from './cloud-emulator';

const KEY = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHJL3QKrlWfKDIQQ85pmPI4agM5kgFFyeD3gn2v4n9GM test';
type Json = Record<string, unknown>;
type Call = (method: string, path: string, body?: unknown, status?: number) => Promise<Json>;

const hetznerDifferences: KnownDifference[] = [
  {
    why: 'no datacenter since 2026-07-01',
    correct({ components }) {
      const server = components.schemas?.server as { required: string[] };
      server.required = server.required.filter((name) => name !== 'datacenter');
    },
  },
];

/** A call of every route that answers, so that its answer is checked. Answers the paths that were called. */
async function callHetzner(call: Call): Promise<void> {
  for (const list of ['server_types', 'locations', 'images']) {
    const { [list]: all } = await call('GET', `/${list}?per_page=50`);
    for (const { id } of all as { id: number }[]) await call('GET', `/${list}/${id}`);
    await call('GET', `/${list}/999999999`, undefined, 404);
  }
  await call('GET', '/images?type=system&type=snapshot&status=available&include_deprecated=true&per_page=50');
  await call('GET', '/pricing');
  const { ssh_key: key } = await call('POST', '/ssh_keys', { name: 'key', public_key: KEY, labels: { a: 'b' } }, 201);
  const keyPath = `/ssh_keys/${(key as { id: number }).id}`;
  await call('PUT', keyPath, { name: 'other', labels: {} });
  await call('GET', keyPath);
  await call('GET', '/ssh_keys?name=other');
  await call('POST', '/ssh_keys', { name: 'again', public_key: KEY }, 409);
  const rules = [{ direction: 'in', protocol: 'tcp', port: '3000', source_ips: ['0.0.0.0/0', '::/0'] }];
  const { firewall } = await call('POST', '/firewalls', { name: 'wall', rules }, 201);
  const firewallId = (firewall as { id: number }).id;
  const { server, action } = await call(
    'POST',
    '/servers',
    {
      name: 'one',
      server_type: 'cx33',
      location: 'nbg1',
      image: 'debian-13',
      ssh_keys: ['other'],
      firewalls: [{ firewall: firewallId }],
      labels: { a: 'b' },
      user_data: '#cloud-config\n',
    },
    201,
  );
  const [serverId, actionId] = [(server as { id: number }).id, (action as { id: number }).id];
  await call('GET', `/firewalls/${firewallId}`);
  await call('GET', '/firewalls?name=wall');
  await call('PUT', `/firewalls/${firewallId}`, { name: 'walls', labels: { a: 'b' } });
  const other = [{ direction: 'in', protocol: 'tcp', port: '22', source_ips: ['192.0.2.0/24'] }];
  await call('POST', `/firewalls/${firewallId}/actions/set_rules`, { rules: other }, 201);
  await call('POST', '/firewalls', { name: 'walls', rules }, 409);
  await call('DELETE', `/firewalls/${firewallId}`, undefined, 422);
  const resources = [{ type: 'server', server: { id: serverId } }];
  await call('POST', `/firewalls/${firewallId}/actions/remove_from_resources`, { remove_from: resources }, 201);
  await call('POST', `/firewalls/${firewallId}/actions/apply_to_resources`, { apply_to: resources }, 201);
  await call('GET', '/servers?name=one&label_selector=a%3Db&sort=created:desc&per_page=50');
  await call('PUT', `/servers/${serverId}`, { name: 'two', labels: { c: 'd' } });
  await call('GET', `/servers/${serverId}`);
  await call('GET', `/servers/${serverId}/actions`);
  await call('GET', `/actions?id=${actionId}`);
  await call('GET', `/actions/${actionId}`);
  await call('POST', '/servers', { name: 'not a hostname' }, 422);
  await call('DELETE', `/servers/${serverId}`);
  await call('GET', '/servers/1', undefined, 404);
  await call('DELETE', keyPath, undefined, 204);
}

async function callDigitalOcean(call: Call): Promise<void> {
  await call('GET', '/account');
  await call('GET', '/sizes?per_page=3');
  await call('GET', '/regions');
  const { images } = await call('GET', '/images?per_page=200');
  for (const { id, slug } of images as { id: number; slug: string | null }[]) {
    await call('GET', `/images/${id}`);
    await call('GET', `/images/${slug ?? id}`);
  }
  await call('GET', '/images?type=distribution');
  await call('GET', '/images?private=true');
  await call('GET', '/images/no-such-image', undefined, 404);
  const { ssh_key: key } = await call('POST', '/account/keys', { name: 'key', public_key: KEY }, 201);
  const { id: keyId, fingerprint } = key as { id: number; fingerprint: string };
  await call('GET', '/account/keys');
  await call('PUT', `/account/keys/${keyId}`, { name: 'other' });
  await call('GET', `/account/keys/${fingerprint}`);
  const order = {
    name: 'one',
    region: 'fra1',
    size: 's-1vcpu-2gb',
    image: 'debian-13-x64',
    ssh_keys: [keyId],
    tags: ['mine'],
    user_data: '#cloud-config\n',
    with_droplet_agent: false,
  };
  const { droplet, links } = await call('POST', '/droplets', order, 202);
  const dropletId = (droplet as { id: number }).id;
  const { actions } = links as { actions: { id: number }[] };
  await call('GET', `/actions/${actions[0]?.id}`);
  await call('GET', '/actions');
  await call('GET', `/droplets/${dropletId}/actions`);
  await call('GET', `/droplets/${dropletId}`);
  await call('GET', '/droplets?tag_name=mine&per_page=200');
  await call('POST', '/tags', { name: 'empty' }, 201);
  await call('GET', '/tags');
  await call('GET', '/tags/mine');
  await call('DELETE', '/tags/empty', undefined, 204);
  await call('GET', '/tags/empty', undefined, 404);
  const rules = [{ protocol: 'tcp', ports: '3000', sources: { addresses: ['0.0.0.0/0'] } }];
  const wall = { name: 'wall', inbound_rules: rules, tags: ['mine'] };
  const { firewall } = await call('POST', '/firewalls', wall, 202);
  const firewallPath = `/firewalls/${(firewall as { id: string }).id}`;
  await call('PUT', firewallPath, { ...wall, name: 'walls' });
  await call('GET', firewallPath);
  await call('GET', '/firewalls');
  await call('DELETE', firewallPath, undefined, 204);
  await call('POST', '/droplets', { ...order, name: 'not a hostname' }, 422);
  await call('DELETE', `/droplets/${dropletId}`, undefined, 204);
  await call('GET', `/droplets/${dropletId}`, undefined, 404);
  await call('DELETE', `/account/keys/${keyId}`, undefined, 204);
}

describe.each([
  {
    file: 'hetzner.json',
    api: '/hetzner/v1',
    pathPrefix: '/hetzner/v1',
    differences: hetznerDifferences,
    all: callHetzner,
  },
  {
    file: 'digitalocean.json',
    api: '/digitalocean/v2',
    pathPrefix: '/digitalocean',
    differences: [BARE_ESCAPES],
    all: callDigitalOcean,
  },
])('every answer fits $file', ({ api, all, ...source }) => {
  const checker = OpenapiChecker.load(source);
  let emulator: RunningEmulator;
  beforeAll(async () => {
    emulator = await startEmulator({ listLagMs: 0, bootMs: 1 });
  });
  afterAll(() => emulator?.close());

  const run = checker ? it : it.skip;
  run(checker ? 'in shape and status' : `(SKIPPED: there is no ${source.file} in ${OPENAPI_DIR})`, async () => {
    const problems: string[] = [];
    await all(async (method, path, body, status) => {
      const response = await fetch(`${emulator.url}${api}${path}`, {
        method,
        headers: { authorization: 'Bearer described', ...(body ? { 'content-type': 'application/json' } : {}) },
        body: body ? JSON.stringify(body) : undefined,
      });
      const text = await response.text();
      const url = new URL(response.url);
      const exchange = { method, path: url.pathname, query: Object.fromEntries(url.searchParams), requestBody: body };
      const answer = text === '' ? undefined : (JSON.parse(text) as Json);
      if (response.status !== (status ?? 200)) problems.push(`${method} ${path}: ${response.status} ${text}`);
      // A request that is refused need not fit.
      const requestBody = response.ok ? body : undefined;
      problems.push(
        ...(checker?.check({ ...exchange, requestBody, status: response.status, responseBody: answer }) ?? []),
      );
      return answer ?? {};
    });
    expect(problems).toEqual([]);
  });
});
