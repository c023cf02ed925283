import type { Outcome, ScenarioProvider, ScenarioStage } from './scenario-stage';

export interface Scenario {
  name: string;
  /** Both, where nothing is said. */
  provider?: ScenarioProvider;
  /** Names of `explore-faults.ts`, once each or as often as said, from before the first call. */
  faults?: readonly (string | [string, number])[];
  /** What is done. @returns the status of each answer */
  play: (stage: ScenarioStage) => Promise<number[]>;
  answers: number[];
  left: Omit<Outcome, 'violations'>;
}

const WAIT = { prefer: 'wait=60' };
const KEY = { 'idempotency-key': 'one-order' };
const order = async (stage: ScenarioStage) => [await stage.order({}, WAIT)];
const orderAndDelete = async (stage: ScenarioStage) => [await stage.order({}, WAIT), await stage.delete()];

const ONE_READY = { rows: ['ready 1'], servers: 1 };
const NOTHING = { rows: [], servers: 0, orders: 1 };
const failed = (code: string) => ({ rows: [`failed 1 ${code}`], servers: 0, orders: 1 });

/** Repeated requests: one accepted request is one server. */
export const ACCEPTING: Scenario[] = [
  { name: 'an order', play: order, answers: [201], left: { ...ONE_READY, orders: 1 } },
  {
    name: 'four equal orders with a key, at once, on two controllers',
    play: (stage) => Promise.all([0, 1, 0, 1].map((at) => stage.order({ name: 'repeated' }, KEY, at))),
    answers: [202, 202, 202, 202],
    left: { ...ONE_READY, orders: 1 },
  },
  {
    name: 'two equal orders with a name and no key, at once',
    play: async (stage) => (await Promise.all([0, 1].map((at) => stage.order({ name: 'twin' }, {}, at)))).sort(),
    answers: [202, 409],
    left: { ...ONE_READY, orders: 1 },
  },
  {
    name: 'two orders without name and key',
    play: async (stage) => [await stage.order({ name: undefined }), await stage.order({ name: undefined })],
    answers: [202, 202],
    left: { rows: ['ready 1', 'ready 1'], servers: 2, orders: 2 },
  },
  {
    name: 'the same key with another body',
    play: async (stage) => [
      await stage.order({ name: 'first' }, { 'idempotency-key': 'other-body' }),
      await stage.order({ name: 'second' }, { 'idempotency-key': 'other-body' }),
    ],
    answers: [202, 422],
    left: { ...ONE_READY, orders: 1 },
  },
  {
    name: 'the same key after the deletion',
    play: async (stage) => {
      const again = () => stage.order({ name: 'gone' }, { 'idempotency-key': `gone-${stage.provider}`, ...WAIT });
      return [await again(), await stage.delete(), await again()];
    },
    answers: [201, 204, 410],
    left: NOTHING,
  },
  {
    name: 'its controller is killed while the order is under way, and the order is repeated elsewhere',
    faults: ['order: slow'],
    play: async (stage) => {
      const headers = { 'idempotency-key': `killed-${stage.provider}` };
      const first = stage.order({ name: 'killed' }, { ...headers, ...WAIT });
      await stage.untilOrdered();
      await stage.kill();
      return [await first, await stage.order({ name: 'killed' }, { ...headers, ...WAIT })];
    },
    answers: [0, 201],
    left: { ...ONE_READY, orders: 1 },
  },
];

/** Orders whose outcome nobody knows: looked for before anything else, so that there is one server. */
export const ORDERING: Scenario[] = [
  ...(
    [
      ['order: 502 before', 2],
      ['order: 502 after', 1],
      ['order: nothing readable after', 1],
      ['order: reset before', 2],
      ['order: reset after', 1],
      ['order: hangs before', 2],
      ['order: hangs after', 1],
      ['order: half an answer', 1],
      ['order: late', 1],
      ['order: late and lost', 1],
      ['order: lags and 503', 1],
      ['order: twice and lost', 1],
      ['order: rate limit', 2],
      ['list: 503', 1],
      ['look: hangs', 1],
    ] as const
  ).map(([fault, orders]): Scenario => ({
    name: fault,
    faults: [fault],
    play: order,
    answers: [201],
    left: { ...ONE_READY, orders },
  })),
  {
    name: 'lost three times',
    faults: [['order: reset before', 3]],
    play: order,
    answers: [201],
    left: { ...ONE_READY, orders: 4 },
  },
  {
    name: 'no room: failed, and a retry orders anew',
    faults: ['order: no room'],
    play: async (stage) => {
      const first = await stage.order({}, WAIT);
      const [{ id }] = (await stage.installation.query('SELECT id FROM clients')) as [{ id: string }];
      stage.id = id;
      return [first, await stage.retry()];
    },
    answers: [502, 202],
    left: { rows: ['ready 2'], servers: 1, orders: 2 },
  },
  { name: 'no room', faults: ['order: no room'], play: order, answers: [502], left: failed('provider-capacity') },
  {
    name: 'the account is full',
    faults: ['order: account limit'],
    play: order,
    answers: [502],
    left: failed('provider-quota'),
  },
  {
    name: 'accepted, and then placed nowhere',
    faults: ['order: vanishes'],
    play: async (stage) => [await stage.order()],
    answers: [202],
    left: failed('server-vanished'),
  },
];

/** Deletions: said to be done only when the server is gone. */
export const DELETING: Scenario[] = [
  ...[
    'deletion: 503 before',
    'deletion: 502 after',
    'deletion: reset before',
    'deletion: reset after',
    'deletion: hangs after',
    'deletion: lags',
    'deletion: later',
  ].map((fault): Scenario => ({
    name: fault,
    faults: [fault],
    play: orderAndDelete,
    answers: [201, 204],
    left: NOTHING,
  })),
  {
    name: 'locked, or busy with an event, three times',
    faults: [['deletion: locked', 3]],
    play: orderAndDelete,
    answers: [201, 204],
    left: NOTHING,
  },
  {
    name: 'while the order hangs, whose server was made',
    faults: ['order: hangs after'],
    play: async (stage) => {
      const first = await stage.order();
      await stage.untilOrdered();
      return [first, await stage.delete()];
    },
    answers: [202, 204],
    left: NOTHING,
  },
  {
    name: 'while the order hangs, of which the provider knows nothing',
    faults: ['order: hangs before'],
    play: async (stage) => {
      const first = await stage.order();
      await stage.untilOrdered();
      return [first, await stage.delete()];
    },
    answers: [202, 204],
    left: NOTHING,
  },
  {
    name: 'of an order that was lost, whose server shows late',
    faults: ['order: late and lost'],
    play: async (stage) => {
      const first = await stage.order();
      await stage.untilOrdered();
      return [first, await stage.delete()];
    },
    answers: [202, 204],
    left: NOTHING,
  },
  {
    name: 'twice at once',
    play: async (stage) => [await stage.order({}, WAIT), ...(await Promise.all([stage.delete(), stage.delete()]))],
    answers: [201, 204, 204],
    left: NOTHING,
  },
  {
    name: 'of a server that a person had removed',
    play: async (stage) => {
      const first = await stage.order({}, WAIT);
      await stage.removeByHand();
      return [first, await stage.delete()];
    },
    answers: [201, 204],
    left: NOTHING,
  },
  {
    name: "with another project's token: not believed, until it is the right one again",
    play: async (stage) => {
      const first = await stage.order({}, WAIT);
      await stage.setToken('elsewhere', true);
      const second = await stage.delete();
      await stage.settle();
      await stage.setToken('elsewhere', false);
      return [first, second, await stage.delete()];
    },
    answers: [201, 502, 204],
    left: NOTHING,
  },
  {
    name: 'with a revoked token: failed, and the row stays until a person has given another',
    play: async (stage) => {
      const first = await stage.order({}, WAIT);
      await stage.setToken('revoke', true);
      const second = await stage.delete();
      await stage.settle();
      await stage.setToken('revoke', false);
      return [first, second, await stage.delete()];
    },
    answers: [201, 502, 204],
    left: NOTHING,
  },
];
