import type { NewEvent } from '../event-rows';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import { isOfServer } from './server-address';
import { signerOf, type RedemptionRequest } from './redemption-request';

/** How far a server's clock may be off. Its requests are told apart by their times, so that none works twice. */
const MAX_SKEW_MS = 10 * 60_000;

const REASONS = {
  request: 'what was sent is no request of a server',
  attempt: 'the request was for another attempt',
  signature: 'the signature was not made with the key that was sent',
  time: 'the time in the request is wrong by more than ten minutes',
  address: 'the address is not the one of the server',
  key: 'another key had fetched them before',
  repeated: 'the same request, or a later one, had been answered before',
} as const;
export type RefusalReason = keyof typeof REASONS;

type Row = Pick<
  ProvisioningReference,
  'id' | 'attempt' | 'publicIp' | 'providerMetadata' | 'bootstrapKey' | 'bootstrapSentAt'
>;

/** Who asks for a row's secret files, or why they get none. */
export function judge(
  row: Row,
  request: RedemptionRequest | null,
  { address, isAddressTrue, now }: { address: string; isAddressTrue: boolean; now: Date },
): { signer: string; reason: null } | { signer: null; reason: RefusalReason } {
  const refused = (reason: RefusalReason) => ({ signer: null, reason });
  if (!request) return refused('request');
  if (request.attempt !== row.attempt) return refused('attempt');
  const signer = signerOf(request, row.id);
  if (signer === null) return refused('signature');
  if (Math.abs(now.getTime() - request.sentAt) > MAX_SKEW_MS) return refused('time');
  if (isAddressTrue && !isFromServer(address, row)) return refused('address');
  if (row.bootstrapKey !== null && row.bootstrapKey !== signer) return refused('key');
  if (row.bootstrapSentAt && request.sentAt <= row.bootstrapSentAt.getTime()) return refused('repeated');
  return { signer, reason: null };
}

/** For people: whoever was refused has the token, and is either the server or somebody who should not have it. */
export function refusalEvent(reason: RefusalReason, address: string): NewEvent {
  return {
    type: 'error',
    message: `A request for the server's secret files, from ${address}, had the right token and was refused: ${REASONS[reason]}.`,
    data: {
      code: 'bootstrap-refused',
      reason,
      address,
      action:
        'If the server itself does not get its files now, somebody else has them: delete it, change the credentials ' +
        'that were given for it, and find out who could read its user data.',
    },
  };
}

/** Before the provider has told any address, every one may be the server's. */
function isFromServer(address: string, { publicIp, providerMetadata }: Row): boolean {
  const told = [publicIp, providerMetadata['publicIpv4'], providerMetadata['publicIpv6']];
  return told.every((each) => !each) || isOfServer(address, told);
}
