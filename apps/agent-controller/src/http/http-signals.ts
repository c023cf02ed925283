import { Signal, type ErrorCode } from '@agent-controller/kernel';

/** A problem document was sent. `quota`: which one was exceeded. */
export const problemSent = new Signal<{ code: ErrorCode; quota: string | undefined }>();

/** A call was refused for its rate: of a caller, of failures from an address, or of a server that reports. */
export const rateRefused = new Signal<{ limit: 'caller' | 'failed-authentications' | 'server' }>();
