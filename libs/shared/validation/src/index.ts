export {
  BelongsTo,
  IsAbsentOr,
  IsBaseUrl,
  IsClientName,
  IsHeaderToken,
  IsWebSocketPort,
  NotTogetherWith,
} from './field.decorators';
export { IsText, textProblem } from './text.decorator';
