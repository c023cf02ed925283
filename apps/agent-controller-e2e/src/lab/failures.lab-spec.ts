import { Installation } from '../support/controller-process';
import { labAdmin, type VmOptions } from './lab-admin';
import { expectGone, keepTimings, order, untilSettled } from './lab-run';

type Case = [name: string, stage: string, cause: RegExp, options: VmOptions, environment: Record<string, string>];

const CASES: Case[] = [
  [
    'an image that does not exist',
    'agent-manager-image',
    /could not be pulled.*(manifest|not found)/i,
    {},
    { AGENT_MANAGER_IMAGE: 'ghcr.io/forepath/no-such-image:1' },
  ],
  [
    'Docker cannot be installed',
    'docker',
    /Docker could not be installed.*503/,
    { disk: 'plain', dockerRepository: 'down' },
    {},
  ],
  [
    'an agent-manager that crashes',
    'agent-manager',
    /ended 5 times|lets this agent-manager crash/,
    {},
    { AGENT_MANAGER_IMAGE: 'lab/agent-crash:1' },
  ],
  ['a full disk', '', /disk is full|no space/i, { freeDiskMb: 150 }, {}],
  ['no outbound network', '', /could not be pulled|timeout|refused|unreachable/i, { network: 'none' }, {}],
  [
    'a PostgreSQL that is never healthy',
    'postgres',
    /PostgreSQL did not become healthy/,
    {},
    { POSTGRES_IMAGE: 'lab/postgres-broken:1' },
  ],
];

describe('failures: each names the step and the cause', () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.dispose());

  it.each(CASES)('%s', async (name, stage, cause, options, environment) => {
    const controller = await installation.startController(environment);
    await labAdmin.setController(controller.url);
    const { id } = await order(controller, options);
    const seen = await untilSettled(controller, id);
    await keepTimings(controller, seen, `failure-${name.replaceAll(/\W+/g, '-')}`);
    expect(seen).toMatchObject({ phase: 'failed', lastError: { code: 'installation-failed' } });
    expect(seen.message).toContain(`failed at the step ${stage}`);
    expect(seen.message).toMatch(cause);
    await expectGone(controller, seen);
    await controller.stop();
  });
});
