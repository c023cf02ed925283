import { ScenarioStage, type ScenarioProvider } from './scenario-stage';
import type { Scenario } from './scenarios';

/** Each scenario at each provider: answers, what is left, and the invariant. */
export function describeScenarios(parts: [string, Scenario[]][]): void {
  describe.each<ScenarioProvider>(['hetzner', 'digital-ocean'])('never lose a billed server: %s', (provider) => {
    let stage: ScenarioStage;
    beforeAll(async () => {
      stage = await ScenarioStage.create();
    });
    afterEach(() => stage.clear());
    afterAll(() => stage?.dispose());

    describe.each(parts)('%s', (_part, scenarios) => {
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
}
