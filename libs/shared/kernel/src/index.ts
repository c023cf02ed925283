export { AppError, ERROR_STATUS, type AppErrorOptions, type ErrorCode, type FieldError } from './app-error';
export { includesRole, maySee, ROLES, type AuthenticatedRequest, type Caller, type Role } from './caller';
export { systemClock, type Clock } from './clock';
export { isSameText } from './constant-time';
export { firstAbort } from './first-abort';
export { type Logger } from './logger';
export { Secret } from './secret';
export { SecretBox, type SealedPlace } from './secret-box';
export { withTimeLimit } from './time-limit';
