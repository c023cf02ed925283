import type { ServerImage, ServerType } from '@agent-controller/cloud-port';
import { DEBIAN } from '../testing/fake-cloud-provider';
import { checkImage, isProven, unsuitable, usableImages } from './image-check';

const image = (changes: Partial<ServerImage>): ServerImage => ({ ...DEBIAN, ...changes });
const ubuntu = image({ id: '2', name: 'ubuntu-24.04', osFamily: 'ubuntu', osVersion: '24.04' });
const docker = image({ ...ubuntu, id: '3', name: 'docker-ce', kind: 'app', hasDocker: true });
const arm = image({ id: '4', architecture: 'arm' });
const snapshot = image({ id: '5', name: null, kind: 'own', minDisk: 80 });
const rocky = image({ id: '6', name: 'rocky-9', osFamily: 'rocky', osVersion: '9' });
const old = image({ id: '7', name: 'debian-11', osVersion: '11' });
const ending = image({ id: '8', name: 'debian-12', osVersion: '12', isDeprecated: true });
const images = [rocky, snapshot, ubuntu, docker, old, ending, DEBIAN, arm];

const type = { id: 'cx23', architecture: 'x86', disk: 40 } as ServerType;
const check = (wanted: string, of: ServerType | null = type, isDefault = false) =>
  checkImage(images, { image: wanted, isDefault }, of, 'hetzner');

describe('which images can be used', () => {
  it.each([
    ['Debian 13', image({}), null],
    ['Debian 12', image({ osVersion: '12' }), null],
    ['Ubuntu with long-term support', ubuntu, null],
    ['Docker on Ubuntu', docker, null],
    ['Docker, without a version', image({ ...docker, osVersion: null }), null],
    ['a snapshot', snapshot, null],
    ['a snapshot that tells no version', image({ ...snapshot, osVersion: null }), null],
    ['Ubuntu between', image({ ...ubuntu, osVersion: '25.10' }), 'holds ubuntu 25.10'],
    ['Debian 11', old, 'holds debian 11, and only these are possible: 12, 13'],
    ['another system', rocky, "holds 'rocky', and only Debian and Ubuntu are possible"],
    ['a snapshot of another system', image({ ...snapshot, osFamily: 'rocky' }), "holds 'rocky'"],
    ['a name of no system', image({ osFamily: 'constructor' }), "holds 'constructor'"],
    ['an application', image({ ...docker, name: 'wordpress', hasDocker: false }), 'holds another application'],
    ['a system that tells no version', image({ osVersion: null }), 'does not tell'],
  ])('%s', (_what, one, reason) => {
    if (reason === null) expect(unsuitable(one)).toBeNull();
    else expect(unsuitable(one)).toMatch(reason);
  });

  it('are listed proven ones first, then Docker, then others, then the own', () => {
    expect(usableImages(images).map(({ id }) => id)).toEqual(['1', '3', '8', '4', '2', '5']);
  });

  it('are proven as Debian 13 on x86 only', () => {
    expect(images.filter(isProven)).toEqual([DEBIAN]);
    expect(isProven(image({ name: 'debian-13-x64' }))).toBe(true);
    expect(isProven(image({ kind: 'own', name: null }))).toBe(false);
  });
});

describe('checkImage', () => {
  const problem = (wanted: string, of?: ServerType | null, isDefault?: boolean) => {
    const { image: found, problem: refusal } = check(wanted, of, isDefault);
    expect(found).toBeNull();
    return [refusal?.code, refusal?.message];
  };

  it('takes the image of that name that fits the type', () => {
    expect(check('debian-13').image).toBe(DEBIAN);
    expect(check('debian-13', { ...type, architecture: 'arm' }).image).toBe(arm);
    expect(check('debian-13', null).image).toBe(DEBIAN);
  });

  it('takes an image by its number', () => {
    expect(check('2').image).toBe(ubuntu);
    expect(check('5', { ...type, disk: 80 }).image).toBe(snapshot);
  });

  it('refuses what is not there, and names what is, but nothing that ends soon', () => {
    const { problem: refusal } = check('windows');
    const message = "hetzner has no image 'windows'. Use one of: debian-13, docker-ce, ubuntu-24.04.";
    expect([refusal?.code, refusal?.message]).toEqual(['image-unknown', message]);
    expect(refusal?.options).toMatchObject({
      errors: [{ field: 'image', message }],
      extensions: { alternatives: ['debian-13', 'docker-ce', 'ubuntu-24.04'] },
    });
  });

  it("says when it is the controller's default", () => {
    expect(problem('windows', type, true)[1]).toMatch("no image 'windows' (the controller's default).");
  });

  it('refuses other systems, other architectures and too small a disk', () => {
    expect(problem('rocky-9')).toEqual(['image-unsuitable', expect.stringMatching("^'rocky-9' holds 'rocky'")]);
    expect(problem('rocky-9', null)[0]).toBe('image-unsuitable');
    expect(problem('ubuntu-24.04', { ...type, architecture: 'arm' })[1]).toBe(
      "'ubuntu-24.04' is for 'x86', and 'cx23' is not. Use one of: debian-13.",
    );
    expect(problem('4')[1]).toMatch("'4' is for 'arm'");
    expect(problem('5')[1]).toMatch("'5' needs 80 GB of disk, and 'cx23' has 40.");
  });
});
