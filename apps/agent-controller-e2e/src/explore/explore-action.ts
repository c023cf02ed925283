import * as fc from 'fast-check';
import { faultNames } from './explore-faults';

export type Provider = 'hetzner' | 'digitalocean';

/** One thing that happens. `fault` strikes right then, once. `at` is a controller, `of` an earlier order; both count on where there are fewer. */
export type Action =
  | { do: 'order'; provider: Provider; name?: number; key?: number; at: number; fault?: string }
  | { do: 'repeat'; of: number; at: number }
  | { do: 'delete'; of: number; at: number; wait: boolean; fault?: string }
  | { do: 'retry' | 'info' | 'patch'; of: number; at: number }
  | { do: 'preview'; provider: Provider; at: number }
  | { do: 'fault'; provider: Provider; fault: string; times: number }
  | { do: 'token'; trouble: 'revoke' | 'readonly' | 'elsewhere'; on: boolean }
  | { do: 'remove'; of: number }
  | { do: 'kill' | 'stop' | 'start'; at: number }
  | { do: 'cut' | 'restart-database' }
  | { do: 'pause'; ms: number };

export interface ActionOptions {
  /** The controllers survive a database that goes away. */
  withDatabase: boolean;
}

const MAX_ACTIONS = 14;

const at = fc.nat({ max: 2 });
const of = fc.nat({ max: 4 });
const provider = fc.constantFrom<Provider>('hetzner', 'digitalocean');
const few = fc.option(fc.nat({ max: 2 }), { nil: undefined });

/** Sequences of what callers, providers, machines and people do. */
export function actions({ withDatabase }: ActionOptions): fc.Arbitrary<Action[]> {
  const names = faultNames();
  const faultOf = (kind: string) => {
    const own = fc.constantFrom(...names.filter((name) => name.startsWith(`${kind}: `)));
    return fc.option(own, { nil: undefined, freq: 1 });
  };
  const one = fc.oneof<fc.WeightedArbitrary<Action>[]>(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant('order'), provider, name: few, key: few, at, fault: faultOf('order') }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat'), of, at }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant('delete'), of, at, wait: fc.boolean(), fault: faultOf('deletion') }),
    },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('retry', 'info', 'patch'), of, at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('preview'), provider, at }) },
    {
      weight: 7,
      arbitrary: fc.record({
        do: fc.constant('fault'),
        provider,
        fault: fc.constantFrom(...names),
        times: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        do: fc.constant('token'),
        trouble: fc.constantFrom('revoke', 'readonly', 'elsewhere'),
        on: fc.boolean(),
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('remove'), of }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('kill'), at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('stop', 'start'), at }) },
    ...(withDatabase
      ? [
          {
            weight: 1,
            arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'cut' as const, 'restart-database' as const) }),
          },
        ]
      : []),
    { weight: 6, arbitrary: fc.record({ do: fc.constant('pause'), ms: fc.integer({ min: 1, max: 900 }) }) },
  );
  return fc.array(one, { minLength: 2, maxLength: MAX_ACTIONS, size: 'max' });
}
