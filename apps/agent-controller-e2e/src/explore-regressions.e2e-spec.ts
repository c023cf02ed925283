import type { Stage } from './explore/action-player';
import { exploreRun } from './explore/explore-run';
import { Fleet } from './explore/fleet';
import { REGRESSIONS } from './explore/regressions';
import { Installation } from './support/controller-process';

describe('sequences that the explorer once stumbled over', () => {
  let stage: Stage;
  beforeAll(async () => {
    const installation = await Installation.create();
    stage = { installation, fleet: new Fleet(installation) };
  });
  afterAll(async () => {
    await stage?.fleet.endAll();
    await stage?.installation.dispose();
  });

  it.each(REGRESSIONS)('$reason', ({ actions }) => exploreRun(stage, actions));
});
