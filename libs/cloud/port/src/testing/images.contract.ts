import type { ServerImage } from '../cloud-provider';
import type { ContractContext } from './contract-setup';
import { eventually } from './eventually';

export function describeImages(context: ContractContext): void {
  const named = (images: readonly ServerImage[], name: string) => images.filter((image) => image.name === name);

  describe('images', () => {
    it('are listed once, each name once for an architecture', async () => {
      const images = await context.provider.listImages();
      expect(new Set(images.map(({ id }) => id)).size).toBe(images.length);
      const names = images
        .filter(({ name }) => name !== null)
        .map(({ name, architecture }) => `${name} ${architecture}`);
      expect(new Set(names).size).toBe(names.length);
      for (const { id, description, osFamily, minDisk } of images) {
        expect(id).toMatch(/^[1-9]\d*$/);
        expect(description.length).toBeGreaterThan(0);
        expect(osFamily).toBe(osFamily.toLowerCase());
        expect(minDisk).toBeGreaterThanOrEqual(0);
      }
    });

    it('tell the system and whether Docker is there', async () => {
      const images = await context.provider.listImages();
      const debian = { kind: 'system', osFamily: 'debian', osVersion: '13', hasDocker: false, isDeprecated: false };
      expect(named(images, context.setup.image)).toContainEqual(expect.objectContaining(debian));
      const docker = named(images, context.setup.dockerImage);
      expect(docker).toContainEqual(expect.objectContaining({ kind: 'app', osFamily: 'ubuntu', hasDocker: true }));
      expect(images.filter(({ hasDocker }) => hasDocker).every(({ kind }) => kind === 'app')).toBe(true);
    });

    it("hold the account's own, which are ordered by their id", async () => {
      const images = await context.provider.listImages();
      const own = images.find(({ id }) => id === context.setup.ownImage);
      if (!own) throw new Error('The own image is not listed');
      expect(own).toMatchObject({ name: null, kind: 'own', hasDocker: false });
      const types = await context.provider.listServerTypes();
      const place = (locations: { id: string; available: boolean }[]) =>
        locations.find(({ id, available }) => available && (own.locations?.includes(id) ?? true))?.id;
      const type = types.find(
        ({ architecture, disk, locations }) =>
          architecture === own.architecture && disk >= own.minDisk && place(locations) !== undefined,
      );
      if (!type) throw new Error('No type takes the own image');
      const order = { ...(await context.order()), serverType: type.id, location: place(type.locations) ?? '' };
      const { id } = await context.provider.create({ ...order, image: own.id });
      const server = await eventually(async () => {
        const [seen] = (await context.provider.look([{ serverId: id, createdAt: new Date() }])).servers;
        return seen ?? false;
      });
      expect(server.image).toBe(own.id);
    });
  });
}
