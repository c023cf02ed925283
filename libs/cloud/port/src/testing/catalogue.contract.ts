import type { ContractContext } from './contract-setup';

export function describeCatalogue(context: ContractContext): void {
  describe('catalogue', () => {
    it('lists each type once, with a price and availability for each of its locations', async () => {
      const types = await context.provider.listServerTypes();
      const locations = (await context.provider.listLocations()).map(({ id }) => id);
      expect(types.length).toBeGreaterThan(0);
      expect(new Set(types.map(({ id }) => id)).size).toBe(types.length);
      for (const type of types) {
        expect(type.currency).toMatch(/^[A-Z]{3}$/);
        expect(['x86', 'arm']).toContain(type.architecture);
        for (const amount of [type.cores, type.memory, type.disk, type.priceMonthly, type.priceHourly]) {
          expect(amount).toBeGreaterThan(0);
        }
        expect(type.locations.length).toBeGreaterThan(0);
        expect(type.priceMonthly).toBe(Math.min(...type.locations.map(({ priceMonthly }) => priceMonthly)));
        expect(locations).toEqual(expect.arrayContaining(type.locations.map(({ id }) => id)));
        expect(type.locations.every(({ addressPriceMonthly }) => addressPriceMonthly >= 0)).toBe(true);
      }
    });

    it('leaves out types that end everywhere, and has something to order', async () => {
      const types = await context.provider.listServerTypes();
      const goesOn = types.map(({ locations }) => locations.some(({ deprecatedAfter }) => deprecatedAfter === null));
      expect(goesOn).not.toContain(false);
      expect(types.some(({ locations }) => locations.some(({ available }) => available))).toBe(true);
    });

    it('lists each location once, with its place', async () => {
      const locations = await context.provider.listLocations();
      expect(locations.length).toBeGreaterThan(0);
      expect(new Set(locations.map(({ id }) => id)).size).toBe(locations.length);
      for (const { name, city, country } of locations) {
        expect(country).toMatch(/^[A-Z]{2}$/);
        expect(Math.min(name.length, city.length)).toBeGreaterThan(0);
      }
    });
  });
}
