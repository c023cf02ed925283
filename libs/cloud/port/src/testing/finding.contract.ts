import type { CloudServer, OwnerTag } from '../cloud-provider';
import { newOwner, type ContractContext } from './contract-setup';
import { eventually } from './eventually';

export function describeFinding(context: ContractContext): void {
  const ids = (servers: readonly CloudServer[]) => servers.map(({ id }) => id);

  /** All of them, as soon as that many are seen. */
  const find = (owner: Omit<OwnerTag, 'attempt'>, count: number, attempt?: number) =>
    eventually(async () => {
      const found = await context.provider.findByOwner({ ...owner, attempt });
      return found.length >= count && found;
    });

  describe('finding servers', () => {
    it('finds the servers of an owner, of one attempt or of all, oldest first', async () => {
      const owner = newOwner();
      const first = await context.create(owner);
      const second = await context.create({ ...owner, attempt: 2 });
      const both = await find(owner, 2);
      expect(ids(both).sort()).toEqual(ids([first, second]).sort());
      const times = both.map(({ createdAt }) => createdAt.getTime());
      expect(times).toEqual([...times].sort((a, b) => a - b));
      expect(ids(await find(owner, 1, 2))).toEqual([second.id]);
      expect((await find(owner, 1, 1))[0]?.owner).toEqual({ ...owner, attempt: 1 });
    });

    it('finds nothing of another provisioning, nor of another installation', async () => {
      const owner = newOwner();
      await context.create(owner);
      await find(owner, 1);
      expect(await context.provider.findByOwner({ ...owner, provisioningId: newOwner().provisioningId })).toEqual([]);
      expect(await context.provider.findByOwner({ ...owner, instanceId: newOwner().instanceId })).toEqual([]);
      expect(await context.provider.findByOwner({ ...owner, attempt: 2 })).toEqual([]);
    });

    const waitingFor = ({ id, createdAt, lookGroup }: CloudServer) => ({ serverId: id, createdAt, lookGroup });

    it.each([1, 2, 3])('looks at %d waiting servers, and only at them, and says what it cost', async (count) => {
      const waiting: CloudServer[] = [];
      for (let i = 0; i < count; i++) waiting.push(await context.create());
      await context.create();
      const seen = await eventually(async () => {
        const before = context.proxy.exchanges.length;
        const { servers, requests } = await context.provider.look(waiting.map(waitingFor));
        expect(context.proxy.exchanges.length - before).toBe(requests);
        return servers.length === count && servers;
      });
      expect(ids(seen).sort()).toEqual(ids(waiting).sort());
    });

    it.each([1, 3])('sees %d that run by now, when those alone are wanted', async (count) => {
      const waiting: CloudServer[] = [];
      for (let i = 0; i < count; i++) waiting.push(await context.create());
      const seen = await eventually(async () => {
        const { servers } = await context.provider.look(waiting.map(waitingFor), { runningOnly: true });
        return servers.filter(({ status }) => status === 'running').length === count && servers;
      });
      expect(ids(seen).sort()).toEqual(ids(waiting).sort());
    });

    it('looks at none without asking', async () => {
      const before = context.proxy.exchanges.length;
      expect(await context.provider.look([])).toEqual({ servers: [], requests: 0 });
      expect(context.proxy.exchanges.length).toBe(before);
    });

    it('lists all servers of any installation of ours', async () => {
      const created = [await context.create(), await context.create()];
      const owned = await eventually(async () => {
        const servers = await context.owned();
        return servers.length >= 2 && servers;
      });
      expect(ids(owned).sort()).toEqual(ids(created).sort());
      expect(owned.every(({ owner }) => owner !== null)).toBe(true);
    });
  });
}
