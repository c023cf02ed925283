import { OUTDATED_TLS, TlsTrap } from '@agent-controller/outbound/testing';
import { createServerTls, type ServerTls } from '@agent-controller/provisioning-bootstrap';
import { once } from 'node:events';
import https from 'node:https';
import { providerAgent } from './provider-agent';

describe('providerAgent', () => {
  let tls: ServerTls;
  let trap: TlsTrap;
  beforeAll(async () => {
    tls = await createServerTls('provider', new Date());
  });
  afterEach(() => trap.stop());

  async function send(options: https.RequestOptions, more: object = {}): Promise<string> {
    trap = await TlsTrap.start({ key: tls.privateKeyPem, cert: tls.certificatePem, ...more });
    const request = https.request({ host: '127.0.0.1', port: trap.port, agent: providerAgent(), ...options });
    const answered = once(request, 'response').then(
      () => 'answered',
      ({ code }: NodeJS.ErrnoException) => String(code),
    );
    request.setHeader('authorization', 'Bearer token').end();
    return answered;
  }

  // The trap's certificate is its own authority; its name is another matter.
  const trusted = () => ({ ca: tls.certificatePem, checkServerIdentity: () => undefined });

  it('speaks to one whose certificate can be trusted', async () => {
    expect(await send(trusted())).toBe('answered');
    expect(await trap.received()).toContain('Bearer token');
  });

  it('sends nothing to others', async () => {
    expect(await send({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    expect(await trap.received()).toBe('');
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('sends nothing by %s, though the ciphers would do', async (maxVersion) => {
    const lax = { ...trusted(), ciphers: OUTDATED_TLS.ciphers };
    expect(await send(lax, { ...OUTDATED_TLS, maxVersion })).toMatch(/EPROTO|PROTOCOL|VERSION/);
    expect(await trap.received()).toBe('');
    await trap.stop();
    const agent = new https.Agent({ minVersion: 'TLSv1' });
    expect(await send({ ...lax, agent }, { ...OUTDATED_TLS, maxVersion })).toBe('answered');
  });
});
