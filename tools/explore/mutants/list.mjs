// Errors that somebody could make, each as replacements in the sources, with the tests that must find it. A text that is
// not there exactly once is an error of this list.
const WORKFLOW = 'libs/provisioning/workflow/src';
const SCENARIOS = 'apps/agent-controller-e2e/src/scenarios.e2e-spec.ts';
const CREATING = `${WORKFLOW}/steps/creating-server.step.spec.ts`;
const SWEEPING = 'apps/agent-controller-e2e/src/scenarios-sweep.e2e-spec.ts';
const REMOVAL = `${WORKFLOW}/steps/server-removal.spec.ts`;
const COMMITS = `${WORKFLOW}/step-commit.int-spec.ts`;
const ACCEPTING = `${WORKFLOW}/idempotency/idempotent-accept.int-spec.ts`;

/** @type {{name: string, patches: {file: string, search: string, replace: string}[], tests: string[], only?: string}[]} */
export const MUTANTS = [
  {
    name: 'no findByOwner before ordering again',
    patches: [
      {
        file: `${WORKFLOW}/steps/creating-server.step.ts`,
        search: 'const existing = await this.keepOne(context);',
        replace: 'const existing = undefined as CloudServer | undefined;',
      },
    ],
    tests: [SCENARIOS],
    only: 'digital-ocean ordering order: reset after',
  },
  {
    name: 'the row goes before the server',
    patches: [
      {
        file: `${WORKFLOW}/steps/deleting.step.ts`,
        search: "return result === 'gone' ? { kind: 'gone' } : result;",
        replace: "return result === 'gone' || result.kind === 'wait' ? { kind: 'gone' } : result;",
      },
    ],
    tests: [SCENARIOS],
    only: 'deleting deletion: later',
  },
  {
    name: 'no idempotency check',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.service.ts`,
        search: 'if (repeatable) await this.idempotencyKeys.claim(repeatable, caller, id, manager);',
        replace: '',
      },
    ],
    tests: [SCENARIOS],
    only: 'hetzner accepting four equal orders',
  },
  {
    name: 'the first job outside the transaction',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.service.ts`,
        search: '    await enqueueStep(manager, reference.id);',
        replace: '    await enqueueStep(this.provisionings.manager, reference.id);',
      },
    ],
    tests: [ACCEPTING],
  },
  {
    name: "a step's next job outside the transaction",
    patches: [
      {
        file: `${WORKFLOW}/step-commit.service.ts`,
        search: 'await enqueueStep(manager, row.id, changed',
        replace: 'await enqueueStep(this.provisionings.manager, row.id, changed',
      },
    ],
    tests: [COMMITS],
  },
  {
    name: 'a commit without the lease',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.repository.ts`,
        search: 'if (!row || row.version !== seen.version || row.leaseOwner !== seen.leaseOwner) return null;',
        replace: 'if (!row || row.version !== seen.version) return null;',
      },
    ],
    tests: [COMMITS],
  },
  {
    name: 'a commit without the version',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.repository.ts`,
        search: 'if (!row || row.version !== seen.version || row.leaseOwner !== seen.leaseOwner) return null;',
        replace: 'if (!row || row.leaseOwner !== seen.leaseOwner) return null;',
      },
    ],
    tests: [COMMITS],
  },
  {
    name: 'a commit after the lease has ended',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.repository.ts`,
        search: 'return clock?.live ? row : null;',
        replace: 'return clock ? row : null;',
      },
    ],
    tests: [COMMITS],
  },
  {
    name: '"not found" is believed without the sentinel',
    patches: [
      {
        file: `${WORKFLOW}/steps/server-removal.ts`,
        search:
          'if (!(await this.sentinel.isVisible(provider, await this.sentinelId(context)))) return wrongProject(context);',
        replace: 'void wrongProject;',
      },
    ],
    tests: [SCENARIOS],
    only: "hetzner deleting with another project's token",
  },
  {
    name: 'no grace time after a lost order',
    patches: [
      {
        file: `${WORKFLOW}/steps/creating-server.step.ts`,
        search: 'reference.createRequestedAt.getTime() < context.visibilityGraceMs',
        replace: 'reference.createRequestedAt.getTime() < 0',
      },
    ],
    tests: [SCENARIOS],
    only: 'digital-ocean ordering order: late and lost',
  },
  {
    name: 'no grace time when a lost order is deleted',
    patches: [
      {
        file: `${WORKFLOW}/steps/server-removal.ts`,
        search: 'reference.createRequestedAt.getTime() < visibilityGraceMs',
        replace: 'reference.createRequestedAt.getTime() < 0',
      },
    ],
    // The sweep makes it good, so that no scenario sees it: the rows go too early nevertheless.
    tests: [REMOVAL],
  },
  {
    name: 'an unknown outcome is a failure',
    patches: [
      {
        file: 'libs/cloud/port/src/retry-policy.ts',
        search: "'outcome-unknown': 'look-first'",
        replace: "'outcome-unknown': 'give-up'",
      },
    ],
    tests: [SCENARIOS],
    only: 'hetzner ordering order: reset after',
  },
  {
    name: 'an order is not announced before it is sent',
    patches: [
      {
        file: `${WORKFLOW}/steps/creating-server.step.ts`,
        search: '    const maySend = await context.announceCreate(sentinelId);',
        replace: '    const maySend = () => true;',
      },
    ],
    tests: [SCENARIOS],
    only: 'digital-ocean ordering order: reset after',
  },
  {
    name: 'a deletion during the order is forgotten',
    patches: [
      {
        file: `${WORKFLOW}/step-commit.service.ts`,
        search: "if (row.intent === 'absent' && row.phase !== 'deleting') return 'deleting';",
        replace: '',
      },
      {
        file: `${WORKFLOW}/step-runner.service.ts`,
        search: "if (intent === 'absent' && phase !== 'deleting' && phase !== 'failed') return advance('deleting');",
        replace: 'void intent;',
      },
    ],
    tests: [SCENARIOS],
    only: 'hetzner deleting while the order hangs, whose server was made',
  },
  {
    name: 'duplicates are not destroyed by the step',
    patches: [
      {
        file: `${WORKFLOW}/steps/creating-server.step.ts`,
        search: 'for (const other of others) await context.provider.destroy(other.id);',
        replace: 'void others;',
      },
    ],
    // The sweep makes this good as well.
    tests: [CREATING],
  },
  {
    name: 'duplicates are not destroyed by the sweep',
    patches: [
      {
        file: `${WORKFLOW}/sweep/sweep-actions.service.ts`,
        search: "await this.destroy(run, server, 'destroying a second server of a provisioning');",
        replace: '',
      },
    ],
    tests: [SWEEPING],
    only: 'an order that made two servers',
  },
  {
    name: 'a lease is taken from who has it',
    patches: [
      {
        file: `${WORKFLOW}/provisioning.repository.ts`,
        search: 'WHERE id = $1 AND (lease_owner IS NULL OR lease_until < now())',
        replace: 'WHERE id = $1',
      },
    ],
    tests: [COMMITS],
  },
];
