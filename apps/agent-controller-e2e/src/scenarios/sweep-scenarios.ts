import type { Scenario } from './scenarios';

const WAIT = { prefer: 'wait=60' };

/** What only a sweep can put right: servers that nobody could have known of when the work was done. */
export const SWEEPING: Scenario[] = [
  {
    name: 'an order that made two servers',
    faults: ['order: twice'],
    play: async (stage) => [await stage.order({}, WAIT)],
    answers: [201],
    left: { rows: ['ready 1'], servers: 1, orders: 1 },
  },
  {
    name: 'a droplet that shows up after the grace time: adopted or destroyed',
    provider: 'digital-ocean',
    faults: ['order: very late and lost'],
    play: async (stage) => [await stage.order({}, WAIT)],
    answers: [201],
    left: { rows: ['ready 1'], servers: 1, orders: 2 },
  },
  {
    name: 'a droplet that shows up when its row is gone',
    provider: 'digital-ocean',
    faults: ['order: very late and lost'],
    play: async (stage) => {
      const first = await stage.order();
      await stage.untilOrdered();
      return [first, await stage.delete()];
    },
    answers: [202, 204],
    left: { rows: [], servers: 0, orders: 1 },
  },
  {
    name: 'a deletion that the provider answers, and does not do',
    faults: ['deletion: not done'],
    play: async (stage) => [await stage.order({}, WAIT), await stage.delete()],
    answers: [201, 204],
    left: { rows: [], servers: 0, orders: 1 },
  },
];
