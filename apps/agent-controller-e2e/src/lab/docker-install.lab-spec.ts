import { Installation } from '../support/controller-process';
import { labAdmin } from './lab-admin';
import { expectGone, keepTimings, order, shellOf, untilSettled } from './lab-run';

describe("Docker CE's repository", () => {
  let installation: Installation;
  beforeAll(async () => {
    installation = await Installation.create();
  });
  afterAll(() => installation.dispose());

  it('a server without Docker installs it from there, and becomes ready', async () => {
    const controller = await installation.startController();
    await labAdmin.setController(controller.url);
    const { id } = await order(controller, { disk: 'plain' });
    const seen = await untilSettled(controller, id);
    await keepTimings(controller, seen, 'docker-install');
    expect(seen).toMatchObject({ phase: 'ready', lastError: null });
    const installed = await (
      await shellOf(seen)
    ).run("dpkg-query -W -f '${Package} ${db:Status-Abbrev}\\n' 'docker*' 'containerd*'");
    for (const name of ['docker-ce', 'docker-ce-cli', 'containerd.io', 'docker-compose-plugin']) {
      expect(installed).toMatch(new RegExp(`^${name} ii`, 'm'));
    }
    await expectGone(controller, seen);
  });
});
