import { parseUrl } from '@agent-controller/kernel';
import { clientWith } from '../testing/step-context.fixture';
import { agentEndpoint, agentTarget } from './agent-target';

describe('agentEndpoint', () => {
  it.each([
    ['192.0.2.7', 'https://192.0.2.7:3000'],
    ['2001:db8::1', 'https://[2001:db8::1]:3000'],
  ])('of %s is %s', (address, endpoint) => {
    expect(agentEndpoint(address)).toBe(endpoint);
    expect(parseUrl(endpoint)).not.toBeNull();
  });
});

describe('agentTarget', () => {
  const known = { endpoint: 'https://192.0.2.7:3000', tlsServerName: 'name', tlsSpkiSha256: 'pin' };

  it('is what the client says', () => {
    expect(agentTarget(clientWith(known))).toEqual({
      endpoint: known.endpoint,
      serverName: 'name',
      spkiSha256: 'pin',
    });
  });

  it.each(Object.keys(known))('is nothing without %s: nobody is asked whose key is not known', (field) => {
    expect(agentTarget(clientWith({ ...known, [field]: null }))).toBeNull();
  });
});
