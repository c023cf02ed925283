export { IsAbsentOr, IsBaseUrl, IsClientName, IsHeaderToken, IsWebSocketPort, ObjectRule } from './field.decorators';
export { IsText, textProblem } from './text.decorator';
