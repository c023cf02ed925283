import type { ContractContext } from './contract-setup';
import { rejection } from './rejection';

export function describeKeys(context: ContractContext): void {
  describe("callers' keys", () => {
    it('are made once, and listed beside all others', async () => {
      const { callersKey, provider, token } = context;
      expect(await provider.listKeys()).toEqual([]);
      const sentinel = await provider.ensureSentinel(context.key);
      const others = Array.from({ length: 4 }, () => context.providerWith(token));
      const ids = await Promise.all(others.map((other) => other.ensureKey(callersKey)));
      expect(new Set(ids).size).toBe(1);
      const listed = (await provider.listKeys()).sort((a, b) => Number(a.id) - Number(b.id));
      expect(listed).toEqual([
        { id: sentinel, name: context.key.name },
        { id: ids[0], name: callersKey.name },
      ]);
      // The same content under another name is the same key.
      expect(await provider.ensureKey({ ...callersKey, name: 'another' })).toBe(ids[0]);
    });

    it('are told with their content, and can be removed, and made again', async () => {
      const { callersKey, provider } = context;
      const sentinel = await provider.ensureSentinel(context.key);
      const id = await provider.ensureKey(callersKey);
      const managed = await provider.listManagedKeys();
      const found = managed.find((key) => key.id === id);
      expect(found).toMatchObject({ name: callersKey.name, publicKey: callersKey.publicKey });
      // Where keys have labels, they say whose it is, and the sentinel is none of those that can be swept.
      expect([callersKey.instanceId, null]).toContain(found?.instanceId);
      expect(managed.map((key) => key.id).includes(sentinel)).toBe(found?.instanceId === null);
      await provider.removeKey(id);
      await provider.removeKey(id);
      expect((await provider.listManagedKeys()).filter((key) => key.id === id)).toEqual([]);
      expect(await provider.hasSentinel(sentinel)).toBe(true);
      expect(await provider.ensureKey(callersKey)).not.toBe(id);
    });

    it('come onto a server, and unknown ones are refused', async () => {
      const order = await context.order();
      const id = await context.provider.ensureKey(context.callersKey);
      const created = await context.provider.create({ ...order, sshKeyIds: [...order.sshKeyIds, id] });
      expect(created.name).toBe(order.name);
      const unknown = { ...(await context.order()), sshKeyIds: ['4503599627370495'] };
      const { kind } = await rejection(context.provider.create(unknown));
      expect(kind).toMatch(/^(invalid|not-found)$/);
    });
  });
}

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
