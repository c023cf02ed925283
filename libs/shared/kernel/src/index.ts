export { AppError, ERROR_STATUS, type AppErrorOptions, type ErrorCode, type FieldError } from './app-error';
export { includesRole, maySee, ROLES, type AuthenticatedRequest, type Caller, type Role } from './caller';
export { ANYWHERE, readCidr, type CidrReading } from './cidr';
export { systemClock, type Clock } from './clock';
export { isSameText } from './constant-time';
export { firstAbort } from './first-abort';
export { type Logger } from './logger';
export { ipv6Groups } from './ipv6-groups';
export { parseUrl } from './parse-url';
export { Secret } from './secret';
export { placeIn, SEALED_COLUMNS, type SealedColumn, type SealedPlace } from './sealed-columns';
export { SealedValueError, type SealedValueTrouble } from './sealed-value.error';
export { SecretBox, sealedKeyId } from './secret-box';
export { Signal } from './signal';
export { SingleFlight } from './single-flight';
export { TimeLimit, withTimeLimit } from './time-limit';
export {
  currentTraceParent,
  inSpan,
  startSpan,
  traceFields,
  traceParentOf,
  useTracer,
  withinSpan,
  type Span,
  type SpanAttributes,
  type SpanOptions,
  type Tracer,
} from './tracing';
