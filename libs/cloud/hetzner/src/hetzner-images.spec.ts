import type { ServerImage } from '@agent-controller/cloud-port';
import { page } from './hetzner-answers.fixture';
import { HetznerScript, get } from './hetzner-script.fixture';

const hetzner = new HetznerScript();

const image = (id: number, more: Record<string, unknown> = {}) => ({
  id,
  type: 'system',
  status: 'available',
  name: 'debian-13',
  description: 'Debian 13',
  os_flavor: 'debian',
  os_version: '13',
  architecture: 'x86',
  disk_size: 5,
  deprecated: null,
  created_from: null,
  ...more,
});

describe('images of Hetzner', () => {
  const debian: ServerImage = {
    id: '1',
    name: 'debian-13',
    description: 'Debian 13',
    kind: 'system',
    osFamily: 'debian',
    osVersion: '13',
    architecture: 'x86',
    hasDocker: false,
    isDeprecated: false,
    minDisk: 5,
    locations: null,
  };

  it('are read from all pages, those that end soon included', async () => {
    const query = { type: 'snapshot', status: 'available', include_deprecated: 'true', per_page: '50' };
    const provider = await hetzner.start(
      get('/images', page('images', [image(1)], 2), { ...query, page: '1' }),
      get('/images', page('images', [image(2, { architecture: 'arm', deprecated: '2026-10-01T00:00:00Z' })]), {
        ...query,
        page: '2',
      }),
    );
    expect(await provider.listImages()).toEqual([
      debian,
      { ...debian, id: '2', architecture: 'arm', isDeprecated: true },
    ]);
  });

  it('are the system, an application or a snapshot; Docker is in one application', async () => {
    const docker = image(3, { type: 'app', name: 'docker-ce', description: 'Docker CE', os_flavor: 'ubuntu' });
    const provider = await hetzner.start(
      get(
        '/images',
        page('images', [
          { ...docker, os_version: null },
          image(4, { type: 'app', name: 'wordpress', os_flavor: 'ubuntu', os_version: '24.04' }),
          image(5, { type: 'snapshot', name: null, description: 'docker-ce', disk_size: 80.5 }),
          image(6, { type: 'backup', name: null }),
          image(7, { architecture: 'riscv' }),
          image(8, { type: 'temporary' }),
        ]),
      ),
    );
    const images = await provider.listImages();
    expect(images.map(({ id, kind, hasDocker }) => [id, kind, hasDocker])).toEqual([
      ['3', 'app', true],
      ['4', 'app', false],
      ['5', 'own', false],
    ]);
    expect(images[0]).toMatchObject({ name: 'docker-ce', osFamily: 'ubuntu', osVersion: null });
    expect(images[2]).toMatchObject({ name: null, description: 'docker-ce', minDisk: 80.5 });
  });

  it('asks for each type by its own parameter', async () => {
    const provider = await hetzner.start(get('/images', page('images', [])));
    await provider.listImages();
    expect(hetzner.http.requests[0]?.url).toContain('type=system&type=app&type=snapshot');
  });
});
