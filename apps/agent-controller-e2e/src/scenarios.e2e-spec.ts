import { describeScenarios } from './scenarios/describe-scenarios';
import { ACCEPTING, DELETING, ORDERING } from './scenarios/scenarios';

describeScenarios([
  ['accepting', ACCEPTING],
  ['ordering', ORDERING],
  ['deleting', DELETING],
]);
