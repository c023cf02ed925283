export { BARE_ESCAPES } from './bare-escapes';
export { describeCloudProviderContract } from './cloud-provider.contract';
export { type ContractSetup } from './contract-setup';
export { eventually } from './eventually';
export { everythingPrinted } from './everything-printed';
export {
  OPENAPI_DIR,
  OpenapiChecker,
  type KnownDifference,
  type OpenapiDescription,
  type OpenapiSource,
} from './openapi-checker';
export { RecordingGate } from './recording-gate';
export { RecordingProxy, type HttpExchange } from './recording-proxy';
export { rejection } from './rejection';
export { json, ScriptedHttp, type ScriptedAnswer, type ScriptedStep, type SeenRequest } from './scripted-http';
export { seenByStranger } from './stranger';
