import type { ContractContext } from './contract-setup';

export function describeSentinel(context: ContractContext): void {
  describe("the key in the token's project", () => {
    it('is made once, whoever asks how often', async () => {
      const { key, provider, token } = context;
      const id = await provider.ensureSentinel(key);
      expect(await provider.ensureSentinel(key)).toBe(id);
      expect(await context.providerWith(token).ensureSentinel(key)).toBe(id);
      expect(await provider.hasSentinel(id)).toBe(true);
    });

    it('is made once by two controllers at the same time', async () => {
      const { key, token } = context;
      const providers = Array.from({ length: 4 }, () => context.providerWith(token));
      const ids = await Promise.all(providers.map((provider) => provider.ensureSentinel(key)));
      expect(new Set(ids).size).toBe(1);
    });

    it('is not seen by the token of another project', async () => {
      const id = await context.provider.ensureSentinel(context.key);
      expect(await context.providerWith(`other-${context.token}`).hasSentinel(id)).toBe(false);
    });
  });
}
