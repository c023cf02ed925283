import { DROPLET_ORDER, EmulatedCloud, PUBLIC_KEY, outcome } from '../emulated-cloud.fixture';
import { until } from '../server-call.fixture';

interface Created {
  droplet: { id: number };
  links: { actions: { id: number; href: string }[] };
}

describe('the emulated DigitalOcean', () => {
  let cloud: EmulatedCloud;
  const order = async (changes: object = {}) =>
    (await cloud.digitalOcean().droplet.createDroplet({ ...DROPLET_ORDER, ...changes })).data as unknown as Created;

  beforeAll(async () => (cloud = await EmulatedCloud.start()));
  afterAll(() => cloud?.close());
  beforeEach(() => cloud.newToken());

  it.each([
    [
      'a name that is no hostname',
      { name: 'no_host' },
      'Only valid hostname characters are allowed. (a-z, A-Z, 0-9, . and -)',
    ],
    ['a region that is closed', { region: 'sfo1' }, 'Region is not available'],
    ['an unknown region', { region: 'moon1' }, 'Region is not available'],
    ['a size that is sold out', { size: 'gd-40vcpu-160gb' }, 'Size is not available in this region.'],
    ['an unknown size', { size: 'huge' }, 'You specified an invalid size for Droplet creation.'],
    ['an unknown image', { image: 'windows' }, 'You specified an invalid image for Droplet creation.'],
    [
      'a snapshot that is elsewhere',
      { image: 195_990_001, region: 'nyc1' },
      'The image is not available in the selected region.',
    ],
    [
      'an image that needs more disk',
      { image: 'docker-20-04', size: 's-1vcpu-512mb-10gb' },
      'The image requires a bigger disk than the selected size has.',
    ],
    ['long user data', { user_data: 'x'.repeat(65_537) }, 'User data must be less than 64KiB.'],
    [
      'a tag with a space',
      { tags: ['a b'] },
      'Tag names may contain letters, numbers, colons, dashes, and underscores.',
    ],
    ['an unknown SSH key', { ssh_keys: [1] }, '1 are invalid key identifiers for Droplet creation.'],
  ])('refuses an order with %s', async (_what, changes, message) => {
    const answer = await outcome(cloud.digitalOcean().droplet.createDroplet({ ...DROPLET_ORDER, ...changes }));
    const data = { id: 'unprocessable_entity', message, request_id: expect.any(String) };
    expect(answer).toEqual({ status: 422, data });
    expect(await cloud.servers()).toEqual([]);
  });

  it('takes user data of exactly the limit, and keys by id and by fingerprint', async () => {
    const { data } = await cloud.digitalOcean().sshKey.createSshKey({ name: 'key', public_key: PUBLIC_KEY });
    const { id, fingerprint } = data.ssh_key;
    await order({ user_data: 'x'.repeat(65_536), ssh_keys: [id, fingerprint] });
    expect(await cloud.servers()).toMatchObject([{ sshKeyIds: [id, id] }]);
    const read = await cloud.digitalOcean().sshKey.getSshKey({ ssh_key_id: fingerprint as unknown as number });
    expect(read.data.ssh_key.id).toBe(id);
    const again = cloud.digitalOcean().sshKey.createSshKey({ name: 'other', public_key: PUBLIC_KEY });
    expect(await outcome(again)).toMatchObject({ status: 422 });
  });

  it('takes a name twice: it is a second bill', async () => {
    await order();
    await order();
    expect((await cloud.droplets()).data.droplets.map(({ name }) => name)).toEqual(['one', 'one']);
  });

  it('knows a deleted droplet no more, at once', async () => {
    const { droplet } = await order();
    const byId = { droplet_id: droplet.id };
    expect((await cloud.digitalOcean().droplet.deleteDroplet(byId)).status).toBe(204);
    const gone = { status: 404, data: expect.objectContaining({ id: 'not_found' }) };
    expect(await outcome(cloud.digitalOcean().droplet.getDroplet(byId))).toEqual(gone);
    expect(await outcome(cloud.digitalOcean().droplet.deleteDroplet(byId))).toEqual(gone);
  });

  it('leaves a new droplet out of lists for a while', async () => {
    await cloud.admin('PUT', '/settings', { listLagMs: 3_600_000 });
    try {
      const { droplet } = await order();
      expect((await cloud.digitalOcean().droplet.getDroplet({ droplet_id: droplet.id })).status).toBe(200);
      expect((await cloud.droplets()).data.droplets).toEqual([]);
    } finally {
      await cloud.admin('PUT', '/settings', { listLagMs: 0 });
    }
  });

  it('ends an action with what it stands for, at the address that the answer names', async () => {
    const { droplet, links } = await order();
    const [action] = links.actions;
    expect(action?.href).toBe(`${cloud.url}/digitalocean/v2/actions/${action?.id}`);
    const read = () => cloud.digitalOcean().action.getAction({ action_id: action?.id ?? 0 });
    const { data } = await until(read, ({ data: { action: seen } }) => seen.status === 'completed');
    expect(data.action.resource_id).toBe(droplet.id);
    expect(await outcome(cloud.digitalOcean().action.getAction({ action_id: 1 }))).toMatchObject({ status: 404 });
  });

  it('finds droplets by tag, and counts them', async () => {
    const { droplet } = await order({ tags: ['a', 'b'] });
    await order({ tags: ['b'] });
    const tagged = await cloud.digitalOcean().droplet.listDroplets({ tag_name: 'a' });
    expect(tagged.data.droplets.map(({ id }) => id)).toEqual([droplet.id]);
    const { data } = await cloud.digitalOcean().tag.listTags({});
    expect(data.tags.map(({ name, resources }) => [name, resources.count])).toEqual([
      ['a', 1],
      ['b', 2],
    ]);
    const headers = { authorization: `Bearer ${cloud.token}` };
    const both = await fetch(`${cloud.url}/digitalocean/v2/droplets?tag_name=a&name=one`, { headers });
    expect(both.status).toBe(422);
  });
});
