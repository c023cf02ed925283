export { json, ScriptedHttp, type ScriptedAnswer, type ScriptedStep, type SeenRequest } from './scripted-http';
