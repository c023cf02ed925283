import type { ServerImage, ServerType } from '@agent-controller/cloud-port';
import type { AppError } from '@agent-controller/kernel';
import { MAX_ALTERNATIVES, refused } from './order-refusal';

/** Ubuntu's are those with long-term support. */
const SYSTEMS = new Map([
  ['debian', ['12', '13']],
  ['ubuntu', ['22.04', '24.04', '26.04']],
]);

/** What servers have really been made from in the boot lab, each with its provider's datasource (docs/boot-lab.md). */
const PROVEN_NAMES = ['debian-13', 'debian-13-x64'];
const PROVEN_ARCHITECTURE = 'x86';

/** Whether the boot lab has shown that a server from this image gets ready; others are meant to work. */
export function isProven({ kind, name, architecture }: ServerImage): boolean {
  return kind === 'system' && PROVEN_NAMES.includes(name ?? '') && architecture === PROVEN_ARCHITECTURE;
}

/** What an order names it by. */
export function imageName({ name, id }: ServerImage): string {
  return name ?? id;
}

/** Why no server can become an agent-manager with this image, or null. */
export function unsuitable({ kind, hasDocker, osFamily, osVersion }: ServerImage): string | null {
  if (kind === 'app' && !hasDocker) return 'holds another application than Docker';
  const versions = SYSTEMS.get(osFamily);
  if (!versions) return `holds '${osFamily}', and only Debian and Ubuntu are possible`;
  // Of own images and of applications the version is not always told; what is not told cannot be held against them.
  if (osVersion === null) return kind === 'system' ? 'does not tell the version of its system' : null;
  if (versions.includes(osVersion)) return null;
  return `holds ${osFamily} ${osVersion}, and only these are possible: ${versions.join(', ')}`;
}

/** What can be ordered: proven ones first, then those with Docker, then by name. */
export function usableImages(images: readonly ServerImage[]): ServerImage[] {
  const rank = (image: ServerImage) => (isProven(image) ? 0 : image.kind === 'own' ? 3 : image.hasDocker ? 1 : 2);
  return images
    .filter((image) => unsuitable(image) === null)
    .sort((a, b) => rank(a) - rank(b) || imageName(a).localeCompare(imageName(b), 'en', { numeric: true }));
}

export interface ImageCheck {
  image: ServerImage | null;
  problem: AppError | null;
}

/**
 * @param wanted name or id
 * @param type what the image must fit; null when it is not known
 */
export function checkImage(
  images: readonly ServerImage[],
  wanted: { image: string; isDefault: boolean },
  type: ServerType | null,
  provider: string,
): ImageCheck {
  const what = `'${wanted.image}'${wanted.isDefault ? " (the controller's default)" : ''}`;
  const refuse = (code: 'image-unknown' | 'image-unsuitable', message: string): ImageCheck => ({
    image: null,
    problem: refused(code, 'image', message, otherImages(images, type)),
  });
  const found = images.filter(({ id, name }) => name === wanted.image || id === wanted.image);
  const [any] = found;
  if (!any) return refuse('image-unknown', `${provider} has no image ${what}`);
  const image = type ? found.find(({ architecture }) => architecture === type.architecture) : any;
  const reason = unsuitable(image ?? any);
  if (reason) return refuse('image-unsuitable', `${what} ${reason}`);
  if (!image) {
    return refuse('image-unsuitable', `${what} is for '${any.architecture}', and '${type?.id}' is not`);
  }
  if (type && image.minDisk > type.disk) {
    const sizes = `${image.minDisk} GB of disk, and '${type.id}' has ${type.disk}`;
    return refuse('image-unsuitable', `${what} needs ${sizes}`);
  }
  return { image, problem: null };
}

/** Names of images that could be ordered instead. */
export function otherImages(images: readonly ServerImage[], type: ServerType | null): string[] {
  const fitting = usableImages(images).filter(
    (image) =>
      !image.isDeprecated &&
      (type === null || (image.architecture === type.architecture && image.minDisk <= type.disk)),
  );
  return [...new Set(fitting.map(imageName))].slice(0, MAX_ALTERNATIVES);
}
