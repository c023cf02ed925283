import type { CloudServer } from '@agent-controller/cloud-port';
import type { ProvisioningReference } from '../provisioning-reference.entity';
import type { ServerChoice } from '../provisioning.types';
import type { Patch } from './step';

type Ordered = Pick<ProvisioningReference, 'configuration' | keyof ServerChoice>;
type Place = Pick<ServerChoice, 'serverType' | 'location'>;

/** What may be ordered, in the order in which it is tried. Rows from before there was a choice have their only one. */
export function choicesOf({ configuration, serverType, location, monthlyCost, currency }: Ordered): ServerChoice[] {
  const { firstChoice, fallback = [] } = configuration;
  return [firstChoice ?? { serverType, location, monthlyCost, currency }, ...fallback];
}

/** What to order where there is no room for the present choice; null when there is nothing left. */
export function nextChoice(reference: Ordered): ServerChoice | null {
  const choices = choicesOf(reference);
  const present = choices.findIndex((choice) => isSame(choice, reference));
  return present < 0 ? null : (choices[present + 1] ?? null);
}

/** What a new attempt begins with. */
export function firstChoice(reference: Ordered): ServerChoice {
  const { serverType, location, monthlyCost, currency } = reference;
  return choicesOf(reference)[0] ?? { serverType, location, monthlyCost, currency };
}

/** Of a server that was found after a doubt: it may be from a choice before the present one. */
export function choiceOfServer(reference: Ordered, server: Pick<CloudServer, 'serverType' | 'location'>): Patch {
  return choicesOf(reference).find((choice) => isSame(choice, server)) ?? {};
}

export function choiceName({ serverType, location }: Place): string {
  return `${serverType} at ${location}`;
}

function isSame(one: Place, other: Place): boolean {
  return one.serverType === other.serverType && one.location === other.location;
}
