import type { CloudServer } from '../cloud-provider';
import { newOwner, type ContractContext } from './contract-setup';
import { eventually } from './eventually';
import { rejection } from './rejection';

export function describeServerLife(context: ContractContext): void {
  describe('a server', () => {
    it('comes up with what was ordered, and an address', async () => {
      const order = await context.order();
      const created = await context.provider.create(order);
      const { name, serverType, location, owner, image } = order;
      expect(created).toMatchObject({ name, serverType, location, owner });
      expect(['creating', 'running']).toContain(created.status);
      expect(Math.abs(created.createdAt.getTime() - Date.now())).toBeLessThan(60_000);
      const running = await eventually(async () => {
        const server = await seen(context, created.id);
        return server?.status === 'running' && server.publicIpv4 !== null && server;
      });
      expect(running).toMatchObject({ id: created.id, name, serverType, location, owner, image });
      expect(running.publicIpv4).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(running.publicIpv6 ?? '').not.toContain('/');
      expect(running.createdAt).toEqual(created.createdAt);
    });

    it('goes: deleting, then gone, and gone it stays', async () => {
      const { id } = await context.create();
      await eventually(async () => (await destroy(context, id)) === 'gone');
      expect(await context.provider.destroy(id)).toBe('gone');
      expect((await rejection(context.provider.get(id))).kind).toBe('not-found');
      expect(await context.owned()).toEqual([]);
    });

    it('that never was is not found, and gone', async () => {
      expect((await rejection(context.provider.get('4503599627370495'))).kind).toBe('not-found');
      expect(await context.provider.destroy('4503599627370495')).toBe('gone');
      expect((await context.provider.look([{ serverId: '4503599627370495', createdAt: new Date() }])).servers).toEqual(
        [],
      );
    });

    it('is not there for the token of another project', async () => {
      const { id } = await context.create();
      const other = context.providerWith(`other-${context.token}`);
      expect((await rejection(other.get(id))).kind).toBe('not-found');
      expect(await other.destroy(id)).toBe('gone');
      expect(await eventually(() => seen(context, id))).toMatchObject({ id });
    });

    it('of a name already taken is refused where names are unique, and found by its owner', async () => {
      const order = await context.order();
      const first = await context.provider.create(order);
      const again = context.provider.create(order);
      if (context.setup.uniqueNames) expect((await rejection(again)).kind).toBe('conflict');
      else expect((await again).id).not.toBe(first.id);
      const count = context.setup.uniqueNames ? 1 : 2;
      const found = await eventually(async () => {
        const servers = await context.provider.findByOwner(order.owner);
        return servers.length >= count && servers;
      });
      expect(found).toHaveLength(count);
      expect(found[0]?.id).toBe(first.id);
    });

    it('is refused when its type, its location or its user data is not possible', async () => {
      const order = await context.order();
      const tooLong = `#cloud-config\n# ${'x'.repeat(context.provider.maxUserDataBytes)}\n`;
      for (const wrong of [{ serverType: 'no-such-type' }, { location: 'no-such-place' }, { userData: tooLong }]) {
        const error = await rejection(context.provider.create({ ...order, ...wrong }));
        expect([wrong, error.kind]).toEqual([wrong, expect.stringMatching(/^(invalid|capacity|not-found)$/)]);
      }
      expect(await context.owned()).toEqual([]);
    });

    it('may have user data up to the limit', async () => {
      const order = await context.order();
      const start = '#cloud-config\n# ';
      const userData = start + 'x'.repeat(context.provider.maxUserDataBytes - start.length);
      expect(await context.provider.create({ ...order, owner: newOwner(), userData })).toMatchObject({
        name: order.name,
      });
    });
  });
}

/** Right after a create, even `get` may say "not found" for a while. */
async function seen({ provider }: ContractContext, id: string): Promise<CloudServer | null> {
  const [server] = (await provider.look([{ serverId: id, createdAt: new Date() }])).servers;
  return server ?? null;
}

/** While something else is going on with the server, a conflict asks for patience. */
async function destroy({ provider }: ContractContext, id: string): Promise<'deleting' | 'gone' | 'busy'> {
  try {
    return await provider.destroy(id);
  } catch (error) {
    expect(error).toMatchObject({ name: 'CloudError', kind: 'conflict' });
    return 'busy';
  }
}
