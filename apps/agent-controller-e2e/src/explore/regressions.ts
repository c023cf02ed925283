import type { Action } from './explore-action';

export interface Regression {
  /** What was wrong, and which seed showed it. */
  reason: string;
  actions: Action[];
}

/** Sequences that once failed, or that stand for a kind of trouble: played by the ordinary end-to-end tests. */
export const REGRESSIONS: Regression[] = [
  {
    reason: 'stands for: orders, a key and a deletion while answers get lost and a controller dies',
    actions: [
      { do: 'fault', provider: 'digitalocean', fault: 'order: late and lost', times: 1 },
      { do: 'fault', provider: 'hetzner', fault: 'order: hangs after', times: 1 },
      { do: 'order', provider: 'digitalocean', key: 0, at: 0 },
      { do: 'order', provider: 'hetzner', name: 1, at: 1 },
      { do: 'pause', ms: 300 },
      { do: 'kill', at: 0 },
      { do: 'repeat', of: 0, at: 1 },
      { do: 'delete', of: 1, at: 2, wait: false },
    ],
  },
  {
    reason: 'seed 962297446: two servers of one order in a project that the token does not see any more',
    actions: [
      { do: 'token', trouble: 'elsewhere', on: true },
      { do: 'fault', provider: 'digitalocean', fault: 'order: twice and lost', times: 2 },
      { do: 'order', provider: 'digitalocean', at: 1 },
      { do: 'pause', ms: 250 },
    ],
  },
];
