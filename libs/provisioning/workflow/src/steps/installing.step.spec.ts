import { FakeAgentHealth } from '../testing/fake-agent-health';
import { clientWith, contextWith } from '../testing/step-context.fixture';
import { InstallingStep } from './installing.step';

describe('InstallingStep', () => {
  const health = new FakeAgentHealth();
  const step = new InstallingStep(health);
  const context = (endpoint: string | null) =>
    contextWith({ phase: 'installing' }, { client: clientWith({ endpoint }) });

  it('goes on once the proxy answers with the pinned key', async () => {
    health.problem = null;
    expect(await step.run(context('https://192.0.2.7:3000'))).toMatchObject({ kind: 'advance', phase: 'starting' });
    expect(health.targets).toEqual([
      { endpoint: 'https://192.0.2.7:3000', serverName: 'client-1.agent.internal', spkiSha256: 'PIN' },
    ]);
  });

  it('waits while it does not, and remembers why', async () => {
    health.problem = 'ECONNREFUSED';
    const result = await step.run(context('https://192.0.2.7:3000'));
    expect(result).toMatchObject({ kind: 'wait', patch: { lastSeen: 'ECONNREFUSED' } });
  });

  it('cannot do without an endpoint', async () => {
    await expect(step.run(context(null))).rejects.toThrow('no endpoint');
  });
});
