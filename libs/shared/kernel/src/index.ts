export { AppError, ERROR_STATUS, type AppErrorOptions, type ErrorCode, type FieldError } from './app-error';
export { includesRole, maySee, ROLES, type AuthenticatedRequest, type Caller, type Role } from './caller';
export { ANYWHERE, readCidr, type CidrReading } from './cidr';
export { systemClock, type Clock } from './clock';
export { isSameText } from './constant-time';
export { type Logger } from './logger';
export { Secret } from './secret';
export { SecretBox, type SealedPlace } from './secret-box';
