import type { ProvisionRequest } from './provision-request';
import { UserDataSizes } from './user-data-sizes';

const HETZNER = { type: 'hetzner', maxUserDataBytes: 32_768 } as const;
const request = (changes: Partial<ProvisionRequest> = {}): ProvisionRequest => ({
  ...{ providerType: 'hetzner', serverType: 'cx23', sshKeys: [], authentication: { type: 'api_key' as const } },
  ...{ agentWsPort: 8080, git: {}, agentDefaultImage: 'worker', environment: {}, ...changes },
});

describe('UserDataSizes', () => {
  let sizes: UserDataSizes;

  beforeEach(() => {
    sizes = new UserDataSizes();
    sizes.note(request(), HETZNER, 14_000);
  });

  it('says of requests like one that was rendered that they fit', () => {
    expect(sizes.surelyFits(request({ name: 'another' }), HETZNER)).toBe(true);
  });

  it.each([
    ['what was never rendered', () => new UserDataSizes().surelyFits(request(), HETZNER)],
    ['another provider', () => sizes.surelyFits(request(), { type: 'digital-ocean', maxUserDataBytes: 65_536 })],
    [
      'another way to authenticate',
      () =>
        sizes.surelyFits(request({ authentication: { type: 'keycloak', clientId: 'a', clientSecret: 'b' } }), HETZNER),
    ],
    ['long values', () => sizes.surelyFits(request({ environment: { LONG: 'x'.repeat(2_000) } }), HETZNER)],
    ['a provider that takes little', () => sizes.surelyFits(request(), { ...HETZNER, maxUserDataBytes: 17_000 })],
  ])('says nothing of %s', (_what, answer) => {
    expect(answer()).toBe(false);
  });

  it('learns nothing from long ones, which may have been compressed', () => {
    const fresh = new UserDataSizes();
    fresh.note(request({ environment: { LONG: 'x'.repeat(30_000) } }), HETZNER, 9_000);
    expect(fresh.surelyFits(request(), HETZNER)).toBe(false);
  });
});
