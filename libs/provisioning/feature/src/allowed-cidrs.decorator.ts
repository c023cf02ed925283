import { readCidr } from '@agent-controller/kernel';
import { ValidateBy } from 'class-validator';

/** With the controllers' own networks and three ports within what both providers take in one firewall and one rule. */
export const MAX_ALLOWED_CIDRS = 50;

/** Of the list as a whole and of its entries; a wrong one is named by its number. */
export function allowedCidrsProblem(value: unknown): string | null {
  if (!Array.isArray(value)) return 'must be an array of networks in CIDR notation';
  if (value.length === 0) return 'must not be empty: nobody could connect. Leave it out to allow everybody';
  if (value.length > MAX_ALLOWED_CIDRS) return `must not have more than ${MAX_ALLOWED_CIDRS} entries`;
  const read = value.map((entry: unknown) => readCidr(typeof entry === 'string' ? entry : ''));
  const wrong = read.findIndex(({ problem }) => problem !== null);
  if (wrong >= 0) return `has a wrong entry ${wrong + 1}: it ${read[wrong]?.problem}`;
  const networks = read.map(({ cidr }) => cidr);
  const twice = networks.findIndex((network, index) => networks.indexOf(network) < index);
  return twice < 0 ? null : `must not repeat itself: entry ${twice + 1} is the network of an earlier one`;
}

/** Networks in CIDR notation, IPv4 and IPv6, none of them twice. */
export function IsAllowedCidrs(): PropertyDecorator {
  return ValidateBy({
    name: 'isAllowedCidrs',
    validator: {
      validate: (value) => allowedCidrsProblem(value) === null,
      defaultMessage: (args) => allowedCidrsProblem(args?.value) ?? '',
    },
  });
}
