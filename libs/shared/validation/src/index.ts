export {
  BelongsTo,
  IsAbsentOr,
  IsBaseUrl,
  IsCatalogueId,
  IsClientName,
  IsHeaderToken,
  IsImageReference,
  IsRealmName,
  IsWebSocketPort,
  NotTogetherWith,
} from './field.decorators';
export { IsText, textProblem } from './text.decorator';
export { isCommitEmail, isCommitName, isGitUrl, isImageReference } from './grammar';
