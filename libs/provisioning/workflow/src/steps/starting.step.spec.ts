import type { AgentCredentials, ClientRepository } from '@agent-controller/clients';
import { FakeAgentHealth } from '../testing/fake-agent-health';
import { clientWith, contextWith } from '../testing/step-context.fixture';
import { StartingStep } from './starting.step';

describe('StartingStep', () => {
  let health: FakeAgentHealth;
  let credentials: AgentCredentials | null;
  const clients = { openCredentials: () => credentials } as unknown as ClientRepository;

  beforeEach(() => {
    health = new FakeAgentHealth();
    credentials = { type: 'api_key', apiKey: 'key' };
  });

  const run = (endpoint: string | null = 'https://192.0.2.7:3000') =>
    new StartingStep(health, clients).run(contextWith({ phase: 'starting' }, { client: clientWith({ endpoint }) }));

  it('is the end when the agent-manager accepts us: secrets are wiped, its configuration is kept', async () => {
    expect(await run()).toEqual({
      kind: 'advance',
      phase: 'ready',
      patch: { sealedSecrets: null, warnings: [], lastSeen: null },
      clientPatch: { agentConfig: { gitRepositoryUrl: null, agentTypes: ['cursor'] } },
      events: [],
    });
  });

  it('keeps a warning, and logs it in words', async () => {
    health.answer = { state: 'ready', config: null, warnings: ['credentials-unverified'] };
    expect(await run()).toMatchObject({
      phase: 'ready',
      patch: { warnings: ['credentials-unverified'] },
      events: [
        { type: 'note', message: expect.stringContaining('not verified'), data: { warning: 'credentials-unverified' } },
      ],
    });
  });

  it('waits while it is not ready, and remembers why', async () => {
    health.answer = { state: 'not-ready', reason: '/api/health answers 502' };
    expect(await run()).toMatchObject({ kind: 'wait', patch: { lastSeen: '/api/health answers 502' } });
  });

  it('cannot do without endpoint and credentials', async () => {
    await expect(run(null)).rejects.toThrow('no endpoint');
    credentials = null;
    await expect(run()).rejects.toThrow('no credentials');
  });
});
