import type { ServerImage } from '@agent-controller/cloud-port';
import type { ServerImageView } from '@agent-controller/contracts';
import { imageName, isProven } from '@agent-controller/provisioning-workflow';

export function toImageView(image: ServerImage): ServerImageView {
  const { description, osFamily, osVersion, architecture, hasDocker, isDeprecated, minDisk, locations } = image;
  return {
    id: imageName(image),
    description,
    osFamily,
    osVersion,
    architecture,
    hasDocker,
    proven: isProven(image),
    isOwn: image.kind === 'own',
    isDeprecated,
    minDisk,
    locations,
  };
}
