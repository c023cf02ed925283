import { randomUUID } from 'node:crypto';
import { firewallName, isFirewallOf, isSameInbound, type FirewallSpec, type ManagedFirewall } from '../firewall';
import { newOwner, type ContractContext } from './contract-setup';
import { eventually } from './eventually';
import { rejection } from './rejection';

export function describeFirewalls(context: ContractContext): void {
  describe('firewalls', () => {
    let spec: FirewallSpec;
    beforeEach(() => {
      spec = context.firewall(randomUUID());
    });
    const ours = async (): Promise<ManagedFirewall[]> =>
      (await context.provider.listFirewalls()).filter((firewall) => isFirewallOf(firewall, spec.instanceId));

    it('are made once, whoever asks how often, and let in what was said', async () => {
      const key = await context.provider.ensureFirewall(spec);
      expect(await context.provider.ensureFirewall(spec)).toBe(key);
      expect(await context.providerWith(context.token).ensureFirewall(spec)).toBe(key);
      const found = await ours();
      expect(found).toMatchObject([{ name: spec.name, key, isApplied: false }]);
      expect(isSameInbound(found[0]?.inbound ?? null, spec.inbound)).toBe(true);
      // Where firewalls have labels, they say whose it is.
      expect([spec.instanceId, null]).toContain(found[0]?.instanceId);
    });

    it('are made once by several controllers at the same time', async () => {
      const providers = Array.from({ length: 4 }, () => context.providerWith(context.token));
      const keys = await Promise.all(providers.map((provider) => provider.ensureFirewall(spec)));
      expect(new Set(keys).size).toBe(1);
      expect(await ours()).toHaveLength(1);
    });

    it('are others for other rules and for other installations', async () => {
      const others = [context.firewall(spec.instanceId, 8443), context.firewall(randomUUID())];
      const keys = await Promise.all([spec, ...others].map((each) => context.provider.ensureFirewall(each)));
      expect(new Set(keys).size).toBe(3);
      expect(await ours()).toHaveLength(2);
    });

    it('are put right when what they let in was changed', async () => {
      const key = await context.provider.ensureFirewall(spec);
      const changed = { ...spec, inbound: [{ port: 22, sources: ['0.0.0.0/0'] }] };
      expect(await context.provider.ensureFirewall(changed)).toBe(key);
      expect(isSameInbound((await ours())[0]?.inbound ?? null, changed.inbound)).toBe(true);
      expect(await context.provider.ensureFirewall(spec)).toBe(key);
      expect(isSameInbound((await ours())[0]?.inbound ?? null, spec.inbound)).toBe(true);
    });

    it('stand before a server from its first moment, and two servers share one', async () => {
      const owner = { ...newOwner(), instanceId: spec.instanceId };
      const firewall = await context.provider.ensureFirewall(spec);
      const servers = [];
      for (const attempt of [1, 2]) {
        const order = await context.order({ ...owner, attempt });
        servers.push(await context.provider.create({ ...order, firewall }));
      }
      for (const server of servers) {
        expect(server.firewalls).toEqual([firewall]);
        const [seen] = await eventually(() =>
          context.provider
            .look([{ serverId: server.id, createdAt: new Date() }])
            .then(({ servers: all }) => all.length > 0 && all),
        );
        expect(seen?.firewalls).toEqual([firewall]);
      }
    });

    it('are not taken away from before a server, where the provider looks; and can go once it is gone', async () => {
      const firewall = await context.provider.ensureFirewall(spec);
      const order = await context.order();
      const server = await context.provider.create({ ...order, firewall });
      const [made] = await ours();
      const id = made?.id ?? '';
      if (made?.isApplied) expect((await rejection(context.provider.removeFirewall(id))).kind).toBe('conflict');
      await eventually(async () => (await context.provider.destroy(server.id).catch(() => 'busy')) === 'gone');
      await eventually(() =>
        context.provider.removeFirewall(id).then(
          () => true,
          () => false,
        ),
      );
      await context.provider.removeFirewall(id);
      expect(await ours()).toEqual([]);
      expect(await context.provider.ensureFirewall(spec)).toBeDefined();
      expect(await ours()).toHaveLength(1);
    });

    it('are not removed any more when it is too late', async () => {
      await context.provider.ensureFirewall(spec);
      const [made] = await ours();
      const error = await rejection(context.provider.removeFirewall(made?.id ?? '', () => false));
      expect(['unavailable', 'outcome-unknown']).toContain(error.kind);
      expect(await ours()).toHaveLength(1);
    });

    it('take as many networks as a request may have, with those of the controllers', async () => {
      const networks = (count: number, first: number) =>
        Array.from({ length: count }, (_, i) => `10.${first}.${i}.0/24`);
      const inbound = [
        { port: 3000, sources: [...networks(50, 1), ...networks(20, 2)] },
        { port: 8080, sources: networks(50, 1) },
        { port: 22, sources: networks(50, 1) },
      ];
      const wide = { ...spec, inbound, name: firewallName(spec.instanceId, inbound) };
      expect(await context.provider.ensureFirewall(wide)).toBeDefined();
      expect(await context.provider.ensureFirewall(wide)).toBeDefined();
    });

    it('are not there for the token of another project, and what is no id removes nothing', async () => {
      await context.provider.ensureFirewall(spec);
      expect(await context.providerWith(`other-${context.token}`).listFirewalls()).toEqual([]);
      expect((await rejection(context.provider.removeFirewall(''))).kind).toBe('invalid');
      expect((await rejection(context.provider.removeFirewall('../servers'))).kind).toBe('invalid');
      expect(await ours()).toHaveLength(1);
    });

    it('are refused beyond what the account may have', async () => {
      const tooMany = async () => {
        for (let port = 10_000; port < 10_100; port++) {
          await context.provider.ensureFirewall(context.firewall(spec.instanceId, port));
        }
      };
      expect((await rejection(tooMany())).kind).toBe('quota');
      // Those that are there can still be had.
      expect(await context.provider.ensureFirewall(context.firewall(spec.instanceId, 10_000))).toBeDefined();
    });
  });
}
