import { serverName } from './owner-name';

const owner = { instanceId: 'i', provisioningId: '0123abcd-ef01-4000-8000-000000000000', attempt: 2 };

describe('serverName', () => {
  it('ends with the provisioning and the attempt', () => {
    expect(serverName('my-agent', owner)).toBe('my-agent-0123abcd-2');
  });

  it('stays a hostname of at most 63 characters', () => {
    const name = serverName('a'.repeat(51) + '-' + 'b'.repeat(20), owner);
    expect(name.length).toBeLessThanOrEqual(63);
    expect(name).toMatch(/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/);
    expect(name).toContain('-0123abcd-2');
  });
});
