/** Faults of the emulator that a system must survive, by names for people. Times fit a provider's time limit of 2 s. */

const ORDER = { method: 'POST', path: '^/(servers|droplets)$' };
const DELETION = { method: 'DELETE', path: '^/(servers|droplets)/' };
const LIST = { method: 'GET', path: '^/(servers|droplets)$' };
const LOOK = { method: 'GET', path: '^/(servers|droplets)/' };
const KEYS = { path: '^/(ssh_keys|account/keys)' };
const HTML = { body: '<html>Bad Gateway</html>' };
const RETRY_AFTER = { headers: { 'retry-after': '1' } };

type ProviderFault = Record<string, unknown>;
type Fault = ProviderFault | { hetzner: ProviderFault; digitalocean: ProviderFault };

const own = (base: object, hetzner: object, digitalocean: object): Fault => ({
  hetzner: { ...base, ...hetzner },
  digitalocean: { ...base, ...digitalocean },
});

const PASSING: Record<string, Fault> = {
  'order: 502 before': { ...ORDER, ...HTML, status: 502 },
  'order: 502 after': { ...ORDER, ...HTML, status: 502, effect: 'after' },
  'order: nothing readable after': { ...ORDER, status: 200, body: 'ok', effect: 'after' },
  'order: reset before': { ...ORDER, dropAnswer: true, effect: 'before' },
  'order: reset after': { ...ORDER, dropAnswer: true },
  'order: hangs before': { ...ORDER, hang: true },
  'order: hangs after': { ...ORDER, hang: true, effect: 'after' },
  'order: half an answer': { ...ORDER, truncate: true },
  'order: drips': { ...ORDER, dripMs: 5 },
  'order: slow': { ...ORDER, delayMs: 500 },
  'order: late': { ...ORDER, hiddenMs: 1_200 },
  'order: late and lost': { ...ORDER, hiddenMs: 1_200, dropAnswer: true },
  'order: vanishes': { ...ORDER, vanish: true },
  'order: lags': { ...ORDER, lagMs: 1_200 },
  'order: lags and 503': { ...ORDER, ...HTML, lagMs: 1_200, status: 503, effect: 'after' },
  'order: rate limit': own(
    { ...ORDER, ...RETRY_AFTER },
    { code: 'rate_limit_exceeded' },
    { code: 'too_many_requests' },
  ),
  'order: no room': own(
    ORDER,
    { code: 'resource_unavailable', message: 'error during placement' },
    { code: 'unprocessable_entity', message: 'Region is not available' },
  ),
  'order: account limit': own(
    ORDER,
    { code: 'resource_limit_exceeded', message: 'server limit exceeded' },
    { code: 'unprocessable_entity', message: 'creating this/these droplet(s) will exceed your droplet limit' },
  ),
  'deletion: 503 before': { ...DELETION, ...HTML, status: 503 },
  'deletion: 502 after': { ...DELETION, ...HTML, status: 502, effect: 'after' },
  'deletion: reset before': { ...DELETION, dropAnswer: true, effect: 'before' },
  'deletion: reset after': { ...DELETION, dropAnswer: true },
  'deletion: hangs after': { ...DELETION, hang: true, effect: 'after' },
  'deletion: locked': own(
    DELETION,
    { code: 'locked', message: 'server is locked' },
    { code: 'unprocessable_entity', message: 'Droplet already has a pending event.' },
  ),
  'deletion: lags': { ...DELETION, lagMs: 800 },
  'deletion: later': { ...DELETION, effectAfterMs: 800 },
  'list: 503': { ...LIST, ...HTML, status: 503 },
  'list: reset': { ...LIST, dropAnswer: true },
  'list: hangs': { ...LIST, hang: true },
  'look: 500': { ...LOOK, ...HTML, status: 500 },
  'look: hangs': { ...LOOK, hang: true },
  'keys: 500': { ...KEYS, status: 500 },
  'keys: reset': { ...KEYS, dropAnswer: true },
  'any: rate limit': own(RETRY_AFTER, { code: 'rate_limit_exceeded' }, { code: 'too_many_requests' }),
  'any: 504': { ...HTML, status: 504 },
};

/** What only a sweep can put right. */
const FOR_THE_SWEEP: Record<string, Fault> = {
  'order: twice': { ...ORDER, duplicate: true },
  'order: twice and lost': { ...ORDER, duplicate: true, dropAnswer: true },
  'order: very late and lost': { ...ORDER, hiddenMs: 8_000, dropAnswer: true },
  'deletion: not done': { ...DELETION, hiddenMs: 3_000 },
};

const FAULTS = { ...PASSING, ...FOR_THE_SWEEP };

export function faultNames(): string[] {
  return Object.keys(FAULTS);
}

/** @throws Error for a name that there is none of */
export function faultByName(name: string, provider: 'hetzner' | 'digitalocean'): ProviderFault {
  const fault = FAULTS[name];
  if (!fault) throw new Error(`There is no fault ${name}`);
  return { provider, ...('hetzner' in fault ? (fault[provider] as ProviderFault) : fault) };
}
