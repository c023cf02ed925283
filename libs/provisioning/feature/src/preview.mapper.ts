import type { ProvisioningPreviewView } from '@agent-controller/contracts';
import type { Preview } from '@agent-controller/provisioning-workflow';
import { toKeyText } from './provisioning.mapper';

export function toPreview({ isProvenImage, sshKeys, ...preview }: Preview): ProvisioningPreviewView {
  return { ...preview, imageProven: isProvenImage, sshKeys: sshKeys.map(toKeyText) };
}
