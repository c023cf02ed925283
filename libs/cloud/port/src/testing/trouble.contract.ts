import { everythingPrinted } from './everything-printed';
import type { ContractContext } from './contract-setup';
import { eventually } from './eventually';
import { rejection } from './rejection';

export function describeTrouble(context: ContractContext): void {
  describe('trouble', () => {
    it('an order whose answer is lost has an unknown outcome, and its server is found by its owner', async () => {
      const order = await context.order();
      context.proxy.loseNextAnswer('POST');
      const error = await rejection(context.provider.create(order));
      expect(error.kind).toBe('outcome-unknown');
      expect(everythingPrinted(error)).not.toContain(context.token);
      const found = await eventually(async () => {
        const servers = await context.provider.findByOwner(order.owner);
        return servers.length > 0 && servers;
      });
      expect(found).toHaveLength(1);
    });

    it('an order is sent once, whatever comes of it', async () => {
      const order = await context.order();
      const sent = () => context.proxy.exchanges.filter(({ method }) => method === 'POST').length;
      const before = sent();
      context.proxy.loseNextAnswer('POST');
      await rejection(context.provider.create(order));
      expect(sent()).toBe(before + 1);
    });

    it('an answer to a question that is lost means unavailable', async () => {
      context.proxy.loseNextAnswer('GET');
      expect((await rejection(context.provider.listLocations())).kind).toBe('unavailable');
    });

    it('a provider that cannot be reached was not asked for anything', async () => {
      const order = await context.order();
      const unreachable = context.providerWith(context.token, `http://127.0.0.1:1${context.setup.apiPath}`);
      for (const call of [
        () => unreachable.create(order),
        () => unreachable.destroy('1'),
        () => unreachable.get('1'),
      ]) {
        const error = await rejection(call());
        expect(error.kind).toBe('unavailable');
        expect(everythingPrinted(error)).not.toContain(context.token);
      }
    });

    it('prints no token, neither the provider nor its errors', async () => {
      const errors = [
        await rejection(context.provider.get('4503599627370495')),
        await rejection(context.provider.create({ ...(await context.order()), serverType: 'no-such-type' })),
      ];
      for (const one of [context.provider, ...errors]) {
        expect(everythingPrinted(one)).not.toContain(context.token);
      }
    });
  });
}
