import { CloudError } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { PreviewService } from './preview.service';
import type { ProvisionRequest, SshKeyRequest } from './provision-request';
import { RequestCheckService } from './request-check.service';
import { FakeCloudProvider } from './testing/fake-cloud-provider';
import { caller, requestChecks, sound } from './testing/request-checks';

describe('RequestCheckService and PreviewService', () => {
  let provider: FakeCloudProvider;
  let requests: RequestCheckService;
  let previews: PreviewService;

  beforeEach(() => {
    ({ provider, requests, previews } = requestChecks());
  });

  const codes = async (changes: Partial<ProvisionRequest>) => {
    const { problems } = await previews.preview({ ...sound, ...changes }, caller);
    return problems.map(({ field, code }) => `${field} ${code}`);
  };
  const keycloak = { type: 'keycloak', clientId: 'a', clientSecret: 'b' } as const;
  // Random, so that compression does not help.
  const huge = { LONG: randomBytes(40_000).toString('base64') };

  it.each([
    ['https://login.evil.example', /the host login\.evil\.example is not allowed: ask the operator to add it to OUTB/],
    ['http://169.254.169.254/latest', /the host 169\.254\.169\.254 is not allowed/],
    ['http://0/', /the host 0\.0\.0\.0 is not allowed/],
  ])('does not let a caller name the Keycloak %s', async (authServerUrl, message) => {
    const authentication = { ...keycloak, authServerUrl, realm: 'agents' };
    const refused = requests.accepted({ ...sound, authentication }, caller);
    await expect(refused).rejects.toMatchObject({
      code: 'host-not-allowed',
      options: { errors: [{ field: 'keycloakAuthServerUrl', message: expect.stringMatching(message) }] },
    });
    expect(await codes({ authentication })).toEqual(['keycloakAuthServerUrl host-not-allowed']);
  });

  it('lets a caller name a Keycloak that is allowed', async () => {
    const authentication = { ...keycloak, authServerUrl: 'https://127.0.0.1/auth', realm: 'agents' };
    expect((await requests.accepted({ ...sound, authentication }, caller)).client.authenticationType).toBe('keycloak');
  });

  it('makes the rows of a sound request, with image and keys in them', async () => {
    const sshKeys = [{ name: 'laptop' }, { publicKey: 'ssh-ed25519 AAAA' }];
    const { reference } = await requests.accepted({ ...sound, image: '1', sshKeys }, caller);
    expect(reference).toMatchObject({ image: '1', location: 'nbg1', serverType: 'cx23', monthlyCost: 4.5 });
    expect(reference.configuration.sshKeys).toEqual([{ name: 'laptop', id: '5' }, { publicKey: 'ssh-ed25519 AAAA' }]);
    expect((await requests.accepted(sound, caller)).reference).toMatchObject({ image: 'debian-13' });
  });

  it('shows what a sound request would make', async () => {
    const preview = await previews.preview({ ...sound, name: 'web', sshKeys: [{ name: 'laptop' }] }, caller);
    expect(preview).toMatchObject({
      name: 'web',
      providerType: 'hetzner',
      serverType: 'cx23',
      location: 'nbg1',
      image: 'debian-13',
      isProvenImage: true,
      sshKeys: [{ name: 'laptop', id: '5' }],
      monthlyCost: 4.5,
      currency: 'EUR',
      maxUserDataBytes: 32_768,
      problems: [],
    });
    expect(preview.userDataBytes).toBeGreaterThan(1_000);
    expect(provider.calls).not.toContainEqual(expect.stringMatching(/^(create|ensure)/));
  });

  it('says what the firewall will let in, and keeps what may connect', async () => {
    const allowedCidrs = ['192.0.2.0/24'];
    const restricted = { ...sound, allowedCidrs, sshKeys: [{ name: 'laptop' }] };
    expect((await previews.preview(restricted, caller)).inbound).toEqual([
      { port: 3000, sources: ['192.0.2.0/24', '198.51.100.7/32'] },
      { port: sound.agentWsPort, sources: allowedCidrs },
      { port: 22, sources: allowedCidrs },
    ]);
    expect((await requests.accepted(restricted, caller)).reference.configuration).toMatchObject({ allowedCidrs });
    expect((await requests.accepted(sound, caller)).reference.configuration).not.toHaveProperty('allowedCidrs');
  });

  it('tells every problem at once, and what is known all the same', async () => {
    const wrong: Partial<ProvisionRequest> = {
      serverType: 'x',
      location: 'mars',
      image: 'windows',
      sshKeys: [{ name: 'a' }, { name: 'b' }],
      authentication: keycloak,
      name: 'taken',
    };
    expect(await codes(wrong)).toEqual([
      'serverType server-type-unknown',
      'location location-unknown',
      'image image-unknown',
      'sshKeys ssh-key-unknown',
      'sshKeys ssh-key-unknown',
      'keycloakAuthServerUrl validation-failed',
      'keycloakRealm validation-failed',
      'name name-taken',
    ]);
    const preview = await previews.preview({ ...sound, ...wrong }, caller);
    expect(preview).toMatchObject({
      name: 'taken',
      providerType: 'hetzner',
      serverType: null,
      location: null,
      image: null,
      isProvenImage: null,
      monthlyCost: null,
      currency: null,
      userData: null,
      userDataBytes: null,
      maxUserDataBytes: 32_768,
    });
    expect(preview.problems[2]).toMatchObject({ alternatives: ['debian-13'] });
  });

  it('tells what can be told without a provider', async () => {
    const wrong = { providerType: 'nobody', name: 'taken', authentication: keycloak };
    expect((await codes(wrong)).sort()).toEqual([
      'keycloakAuthServerUrl validation-failed',
      'keycloakRealm validation-failed',
      'name name-taken',
      'providerType provider-not-found',
    ]);
    const { providerType, maxUserDataBytes } = await previews.preview({ ...sound, ...wrong }, caller);
    expect([providerType, maxUserDataBytes]).toEqual([null, null]);
  });

  it('says how long user data is that is too long, and shows it', async () => {
    const preview = await previews.preview({ ...sound, environment: huge }, caller);
    expect(preview.problems).toMatchObject([{ field: null, code: 'user-data-too-large' }]);
    expect(preview.userDataBytes).toBeGreaterThan(preview.maxUserDataBytes ?? Infinity);
    expect(preview.problems[0]?.message).toContain(String(preview.userDataBytes));
    expect(preview.userData).toContain('#cloud-config');
    expect(preview.userData).not.toContain(huge.LONG.slice(0, 20));
  });

  it('has no answer while the provider has none', async () => {
    provider.failNext('listImages', new CloudError('unavailable', 'away'));
    await expect(previews.preview(sound, caller)).rejects.toMatchObject({ code: 'provider-unavailable' });
  });

  it('asks the provider nothing more for a hundred requests than for one', async () => {
    const request = { ...sound, sshKeys: [{ name: 'laptop' }] };
    for (let count = 0; count < 100; count++) await previews.preview(request, caller);
    expect(provider.calls.sort()).toEqual(['listImages', 'listKeys', 'listLocations', 'listServerTypes']);
  });

  it('refuses exactly what a preview has problems with, with the first of them', async () => {
    const request = fc.record({
      providerType: fc.constantFrom('hetzner', 'hetzner', 'hetzner', 'digital-ocean'),
      serverType: fc.constantFrom('cx23', 'cx23', 'cax11', 'sold-out', 'x'),
      location: fc.constantFrom(undefined, 'nbg1', 'fsn1', 'mars'),
      image: fc.constantFrom(undefined, 'debian-13', '1', 'rocky-9', 'windows'),
      sshKeys: fc.constantFrom<SshKeyRequest[]>(
        [],
        [{ name: 'laptop' }],
        [{ name: 'x' }],
        [{ publicKey: 'ssh-ed25519 AAAA' }],
      ),
      authentication: fc.constantFrom<ProvisionRequest['authentication']>({ type: 'api_key' }, keycloak),
      name: fc.constantFrom(undefined, 'free', 'taken'),
      environment: fc.constantFrom<Record<string, string>>({}, {}, huge),
    });
    let [accepted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(request, async (changes) => {
        const wanted = { ...sound, ...changes };
        const { problems } = await previews.preview(wanted, caller);
        const outcome: unknown = await requests.accepted(wanted, caller).catch((error: unknown) => error);
        if (outcome instanceof AppError) refused++;
        else accepted++;
        // A taken name is refused when the rows are saved, by the index.
        const [first] = problems.filter(({ code }) => code !== 'name-taken');
        expect(outcome instanceof AppError ? outcome.code : undefined).toBe(first?.code);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });
});
