import { describeScenarios } from './scenarios/describe-scenarios';
import { SWEEPING } from './scenarios/sweep-scenarios';

describe('what the sweep puts right', () => describeScenarios([['sweeping', SWEEPING]]));
