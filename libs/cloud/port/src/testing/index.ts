export { everythingPrinted } from './everything-printed';
export { rejection } from './rejection';
export { json, ScriptedHttp, type ScriptedAnswer, type ScriptedStep, type SeenRequest } from './scripted-http';
