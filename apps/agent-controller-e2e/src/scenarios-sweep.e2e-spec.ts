import { describeScenarios } from './scenarios/describe-scenarios';
import { SWEEPING } from './scenarios/sweep-scenarios';

// Until the controllers have a sweep; its interval belongs into BRISK of explore/fleet.ts then.
describe.skip('what the sweep puts right', () => describeScenarios([['sweeping', SWEEPING]]));
