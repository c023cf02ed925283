import type { CloudProvider } from '@agent-controller/cloud-port';
import type { ProvisionRequest } from './provision-request';

type Provider = Pick<CloudProvider, 'type' | 'maxUserDataBytes'>;

/** A byte that is escaped for a file, for YAML, and stands in two places. */
const LONGEST_BYTE = 16;
/** Lines of values that the noted request had none of. */
const FURTHER_LINES = 2_000;
/** What longer ones made may be compressed: that says nothing of what others make. */
const NOTED_BELOW = 1_500;

/**
 * How long user data is, by what was rendered before: so that not every request has to be rendered to know that it fits.
 * The step that orders the server renders it anyway, and would find out.
 */
export class UserDataSizes {
  readonly #known = new Map<string, number>();

  note(request: ProvisionRequest, provider: Provider, bytes: number): void {
    if (requestBytes(request) < NOTED_BELOW) this.#known.set(kind(request, provider), bytes);
  }

  surelyFits(request: ProvisionRequest, provider: Provider): boolean {
    const known = this.#known.get(kind(request, provider));
    return (
      known !== undefined && known + FURTHER_LINES + LONGEST_BYTE * requestBytes(request) <= provider.maxUserDataBytes
    );
  }
}

function kind({ authentication }: ProvisionRequest, { type }: Provider): string {
  return `${type} ${authentication.type}`;
}

function requestBytes(request: ProvisionRequest): number {
  return Buffer.byteLength(JSON.stringify(request));
}
