import { ACCEPTING, DELETING, ORDERING, type Scenario } from './scenarios/scenarios';
import { ScenarioStage, type ScenarioProvider } from './scenarios/scenario-stage';

describe.each<ScenarioProvider>(['hetzner', 'digital-ocean'])('never lose a billed server: %s', (provider) => {
  let stage: ScenarioStage;
  beforeAll(async () => (stage = await ScenarioStage.create()));
  afterEach(() => stage.clear());
  afterAll(() => stage?.dispose());

  describe.each([
    ['accepting', ACCEPTING],
    ['ordering', ORDERING],
    ['deleting', DELETING],
  ])('%s', (_part, scenarios) => {
    const own = scenarios.filter((scenario) => (scenario.provider ?? provider) === provider);
    it.each(own.map((scenario): [string, Scenario] => [scenario.name, scenario]))('%s', async (_name, scenario) => {
      await stage.begin(provider, scenario.faults ?? []);
      const answers = await scenario.play(stage);
      const { violations, ...left } = await stage.outcome();
      expect({ answers, ...left }).toEqual({ answers: scenario.answers, ...scenario.left });
      expect(violations).toEqual([]);
    });
  });
});
