import { page } from './digital-ocean-answers.fixture';
import { DigitalOceanScript, get } from './digital-ocean-script.fixture';

const digitalOcean = new DigitalOceanScript();

const image = (id: number, more: Record<string, unknown> = {}) => ({
  id,
  name: '13 x64',
  distribution: 'Debian',
  slug: 'debian-13-x64',
  public: true,
  regions: ['fra1', 'nyc1'],
  created_at: '2026-01-01T00:00:00Z',
  type: 'base',
  min_disk_size: 7,
  size_gigabytes: 0.5,
  description: 'Debian 13 x64',
  tags: [],
  status: 'available',
  ...more,
});

describe('images of DigitalOcean', () => {
  it('are read from all pages in one list', async () => {
    const provider = await digitalOcean.start(
      get('/images', page('images', [image(1)], 'https://x/v2/images?page=2'), { page: '1', per_page: '200' }),
      get('/images', page('images', []), { page: '2', per_page: '200' }),
    );
    expect(await provider.listImages()).toEqual([
      {
        id: '1',
        name: 'debian-13-x64',
        description: 'Debian 13 x64',
        kind: 'system',
        osFamily: 'debian',
        osVersion: '13',
        architecture: 'x86',
        hasDocker: false,
        isDeprecated: false,
        minDisk: 7,
        locations: ['fra1', 'nyc1'],
      },
    ]);
  });

  it('are the system, an application or the own, by slug and owner; versions stand in their names', async () => {
    const app = { distribution: 'Ubuntu', type: 'snapshot' };
    const own = { slug: null, public: false, type: 'snapshot', distribution: 'Ubuntu' };
    const provider = await digitalOcean.start(
      get(
        '/images',
        page('images', [
          image(2, { slug: 'ubuntu-24-04-x64', distribution: 'Ubuntu', name: '24.04 (LTS) x64', type: 'snapshot' }),
          image(3, { ...app, slug: 'docker-20-04', name: 'Docker 28.1.1 on Ubuntu 22.04' }),
          image(4, { ...app, slug: 'docker-registry', name: 'Registry' }),
          image(5, { ...own, name: '20.04 before the upgrade' }),
          image(6, { ...own, name: 'a backup', type: 'backup' }),
          image(7, { ...own, name: 'not ready', status: 'pending' }),
          image(8, { ...own, name: 'nowhere', regions: [] }),
          image(9, { slug: null, name: 'without a slug' }),
          image(10, { slug: 'centos-stream-9-x64', distribution: 'CentOS', name: '9 Stream x64' }),
        ]),
      ),
    );
    const images = await provider.listImages();
    expect(images.map(({ id, kind, osVersion, hasDocker }) => [id, kind, osVersion, hasDocker])).toEqual([
      ['2', 'system', '24.04', false],
      ['3', 'app', '22.04', true],
      ['4', 'app', null, false],
      // What its owner calls a snapshot proves nothing.
      ['5', 'own', null, false],
      ['10', 'system', '9', false],
    ]);
  });
});
