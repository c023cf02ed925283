import type { ClientRepository } from '@agent-controller/clients';
import { CloudError, CloudProviderRegistry } from '@agent-controller/cloud-port';
import { AppError, SecretBox, type Caller } from '@agent-controller/kernel';
import fc from 'fast-check';
import { randomBytes } from 'node:crypto';
import { OFFER_AGE } from './catalogue/catalogue-memory';
import { CatalogueService } from './catalogue/catalogue.service';
import { KeyListService } from './catalogue/key-list.service';
import { PreviewService } from './preview.service';
import type { ProvisionRequest, SshKeyRequest } from './provision-request';
import { ProvisioningFactory } from './provisioning-factory.service';
import type { ProvisioningRepository } from './provisioning.repository';
import { CallbackTokens } from './reports/callback-tokens';
import type { QuotaService } from './quota.service';
import { RequestCheckService } from './request-check.service';
import { ServerMaterialService } from './server-material.service';
import { DEBIAN, FakeCloudProvider } from './testing/fake-cloud-provider';
import { NOW } from './testing/step-context.fixture';
import { UserDataService } from './user-data.service';
import type { WorkflowOptions } from './workflow.options';

const caller: Caller = { subject: 'someone', role: 'operator' };
const quotas = { problem: async () => null, isUnlimited: true } as unknown as QuotaService;
let nowMs = NOW.getTime();
const clock = { now: () => new Date(nowMs) };
const place = (id: string, available = true) => ({
  ...{ id, available, priceMonthly: 4, priceHourly: 0.01, addressPriceMonthly: 0.5, deprecatedAfter: null },
});
const type = (id: string, architecture: 'x86' | 'arm', ...locations: ReturnType<typeof place>[]) => ({
  ...{ id, name: id, cores: 2, memory: 4, disk: 40, architecture, description: id, currency: 'EUR' },
  ...{ priceMonthly: 4, priceHourly: 0.01, locations },
});

/** Seals nothing: what is sealed is not the matter here. */
const open = {
  sealSecrets: (_id: string, secrets: unknown) => JSON.stringify(secrets),
  openSecrets: ({ sealedSecrets }: { sealedSecrets: string }) => JSON.parse(sealedSecrets) as unknown,
} as unknown as ProvisioningRepository;
const clients = {
  isNameTaken: async (name: string) => name === 'taken',
  sealCredentials: (_id: string, credentials: unknown) => JSON.stringify(credentials),
  openCredentials: ({ sealedCredentials }: { sealedCredentials: string }) => JSON.parse(sealedCredentials) as unknown,
} as unknown as ClientRepository;
const options = {
  images: { agentManager: 'manager', postgres: 'postgres', proxy: 'caddy' },
  serverImages: { hetzner: 'debian-13', 'digital-ocean': 'debian-13-x64' },
  keycloak: {},
} as unknown as WorkflowOptions;

const sound: ProvisionRequest = {
  providerType: 'hetzner',
  serverType: 'cx23',
  sshKeys: [],
  authentication: { type: 'api_key' },
  agentWsPort: 8080,
  git: {},
  agentDefaultImage: 'worker',
  environment: {},
};

describe('RequestCheckService and PreviewService', () => {
  let provider: FakeCloudProvider;
  let requests: RequestCheckService;
  let previews: PreviewService;

  beforeEach(() => {
    provider = new FakeCloudProvider();
    provider.serverTypes = [
      type('cx23', 'x86', place('fsn1', false), place('nbg1')),
      type('cax11', 'arm', place('fsn1')),
      type('sold-out', 'x86', place('fsn1', false)),
    ];
    provider.locations = ['fsn1', 'nbg1'].map((id) => ({ id, name: id, country: 'DE', city: id, available: true }));
    provider.images = [DEBIAN, { ...DEBIAN, id: '2', name: 'rocky-9', osFamily: 'rocky', osVersion: '9' }];
    provider.sshKeys = [{ id: '5', name: 'laptop' }];
    const catalogue = new CatalogueService(new CloudProviderRegistry([provider]), clock);
    const userData = new UserDataService(open, clients, new CallbackTokens(new SecretBox([Buffer.alloc(32)]), options));
    const factory = new ProvisioningFactory(open, clients, new ServerMaterialService(open), options, clock);
    requests = new RequestCheckService(
      catalogue,
      new KeyListService(clock),
      factory,
      userData,
      clients,
      quotas,
      options,
    );
    previews = new PreviewService(requests, userData);
  });

  const codes = async (changes: Partial<ProvisionRequest>) => {
    const { problems } = await previews.preview({ ...sound, ...changes }, caller);
    return problems.map(({ field, code }) => `${field} ${code}`);
  };
  const keycloak = { type: 'keycloak', clientId: 'a', clientSecret: 'b' } as const;
  // Random, so that compression does not help.
  const huge = { LONG: randomBytes(40_000).toString('base64') };

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

  describe('with alternatives', () => {
    const preview = (fallback: ProvisionRequest['fallback'], changes: Partial<ProvisionRequest> = {}) =>
      previews.preview({ ...sound, ...changes, fallback }, caller);
    const arm = { serverType: 'cax11', location: 'fsn1' };

    beforeEach(() => {
      provider.serverTypes.push(type('cx33', 'x86', place('fsn1'), place('nbg1')));
      provider.images.push({ ...DEBIAN, id: '3', architecture: 'arm' });
    });

    it('shows each with its price, and saves them beside what was asked for first', async () => {
      const wanted = [{ serverType: 'cx33', location: 'fsn1' }, arm];
      const price = { monthlyCost: 4.5, currency: 'EUR' };
      const found = wanted.map((choice) => ({ ...choice, ...price }));
      expect(await preview(wanted)).toMatchObject({ problems: [], location: 'nbg1', fallback: found });
      const { reference } = await requests.accepted({ ...sound, fallback: wanted }, caller);
      expect(reference).toMatchObject({ serverType: 'cx23', location: 'nbg1' });
      expect(reference.configuration).toMatchObject({
        fallback: found,
        firstChoice: { serverType: 'cx23', location: 'nbg1', ...price },
      });
    });

    it('names the entry and its field in each problem', async () => {
      const wanted = [
        { serverType: 'x', location: 'nbg1' },
        { serverType: 'sold-out', location: 'fsn1' },
        { serverType: 'cx33', location: 'mars' },
      ];
      const { problems, fallback } = await preview(wanted, { serverType: 'sold-out' });
      expect(problems.map(({ field, code }) => `${field} ${code}`)).toEqual([
        'serverType server-type-unavailable',
        'fallback[0].serverType server-type-unknown',
        'fallback[1].serverType server-type-unavailable',
        'fallback[2].location location-unknown',
      ]);
      expect(problems[0]?.alternatives).toContain('cx33');
      expect(fallback[1]).toMatchObject({ serverType: 'sold-out', monthlyCost: null });
      await expect(requests.accepted({ ...sound, fallback: wanted }, caller)).rejects.toMatchObject({
        code: 'server-type-unknown',
      });
    });

    it('passes over what is full at present, the order itself included', async () => {
      const full = { serverType: 'sold-out', location: 'fsn1' };
      const room = { serverType: 'cx33', location: 'fsn1' };
      expect(await preview([full, room])).toMatchObject({ problems: [], fallback: [room], serverType: 'cx23' });
      const instead = await preview([full, room, { serverType: 'cx23', location: 'nbg1' }], full);
      expect(instead).toMatchObject({ ...room, problems: [], monthlyCost: 4.5 });
      expect(instead.fallback).toMatchObject([{ serverType: 'cx23', location: 'nbg1' }]);
      const { reference } = await requests.accepted({ ...sound, ...full, fallback: [room] }, caller);
      expect(reference).toMatchObject({ ...room, monthlyCost: 4.5 });
      const mistaken = await preview([{ serverType: 'x', location: 'nbg1' }], full);
      expect(mistaken.problems.map(({ field }) => field)).toEqual(['serverType', 'fallback[0].serverType']);
    });

    it('checks the one image against each type', async () => {
      // By its number it is the image of one architecture.
      const { problems } = await preview([{ serverType: 'cx33', location: 'fsn1' }, arm], { image: '1' });
      expect(problems).toMatchObject([{ field: 'fallback[1].serverType', code: 'image-unsuitable' }]);
      provider.images.splice(0, provider.images.length, { ...DEBIAN, minDisk: 60 });
      provider.serverTypes = provider.serverTypes.map((each) => (each.id === 'cx23' ? { ...each, disk: 80 } : each));
      nowMs += OFFER_AGE.behindMs;
      const small = await preview([{ serverType: 'cx33', location: 'fsn1' }]);
      expect(small.problems).toMatchObject([{ field: 'fallback[0].serverType', code: 'image-unsuitable' }]);
    });

    it('says of an image that there is none once', async () => {
      const { problems } = await preview([{ serverType: 'cx33', location: 'fsn1' }], { image: 'windows' });
      expect(problems.map(({ field }) => field)).toEqual(['image']);
    });

    it('leaves out what the order found for itself', async () => {
      const wanted = [
        { serverType: 'cx23', location: 'nbg1' },
        { serverType: 'cx33', location: 'fsn1' },
      ];
      const { fallback, location, problems } = await preview(wanted);
      expect([location, problems, fallback.map((each) => each.serverType)]).toEqual(['nbg1', [], ['cx33']]);
      const { reference } = await requests.accepted({ ...sound, fallback: wanted.slice(0, 1) }, caller);
      expect(reference.configuration).not.toHaveProperty('fallback');
    });
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
        expect(outcome instanceof AppError ? outcome.code : undefined).toBe(problems[0]?.code);
      }),
      { numRuns: 300 },
    );
    expect(Math.min(accepted, refused)).toBeGreaterThan(0);
  });
});
