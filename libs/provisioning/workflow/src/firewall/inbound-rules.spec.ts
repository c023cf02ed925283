import { inboundRules } from './inbound-rules';

const ANYWHERE = ['0.0.0.0/0', '::/0'];
const KEY = { publicKey: 'ssh-ed25519 AAAA' };

describe('inboundRules', () => {
  it('are the two published ports from anywhere, when nothing else was asked for', () => {
    expect(inboundRules({ agentWsPort: 8443, sshKeys: [] }, ['198.51.100.7/32'])).toEqual([
      { port: 3000, sources: ANYWHERE },
      { port: 8443, sources: ANYWHERE },
    ]);
    // Rows from before there were keys.
    expect(inboundRules({ agentWsPort: 8443 }, [])).toHaveLength(2);
  });

  it("open SSH where somebody's key is on the server, to those who may connect", () => {
    expect(inboundRules({ agentWsPort: 8080, sshKeys: [KEY] }, []).map(({ port }) => port)).toEqual([3000, 8080, 22]);
    const restricted = { agentWsPort: 8080, sshKeys: [KEY], allowedCidrs: ['192.0.2.0/24'] };
    expect(inboundRules(restricted, []).map(({ sources }) => sources)).toEqual([
      ['192.0.2.0/24'],
      ['192.0.2.0/24'],
      ['192.0.2.0/24'],
    ]);
  });

  it('let controllers through to the API, and to nothing else', () => {
    const restricted = { agentWsPort: 8080, sshKeys: [KEY], allowedCidrs: ['192.0.2.0/24'] };
    expect(inboundRules(restricted, ['198.51.100.7/32', '192.0.2.0/24'])).toEqual([
      { port: 3000, sources: ['192.0.2.0/24', '198.51.100.7/32'] },
      { port: 8080, sources: ['192.0.2.0/24'] },
      { port: 22, sources: ['192.0.2.0/24'] },
    ]);
  });
});
