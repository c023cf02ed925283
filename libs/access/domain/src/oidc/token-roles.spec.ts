import type { Role } from '@agent-controller/kernel';
import { roleOf } from './token-roles';

const options = {
  clientId: 'agent-controller',
  rolesClaim: null as string | null,
  roleNames: { 'agents-viewer': 'viewer', 'agents-admin': 'admin' } as Record<string, Role>,
};
const realm = (...roles: unknown[]) => ({ realm_access: { roles } });
const client = (id: string, ...roles: unknown[]) => ({ resource_access: { [id]: { roles } } });

describe('roleOf', () => {
  it.each<[string, Record<string, unknown>, Role | null]>([
    ['no claim', {}, null],
    ['a mapped role of the realm', realm('agents-viewer'), 'viewer'],
    ['several: the highest', realm('agents-admin', 'agents-viewer'), 'admin'],
    ['others', realm('offline_access', 'uma_authorization'), null],
    ["the realm's own admin", realm('admin', 'operator', 'viewer'), null],
    ['a plain role of our client', client('agent-controller', 'operator'), 'operator'],
    ['a mapped role of our client', client('agent-controller', 'agents-admin'), 'admin'],
    ['a role of another client', client('account', 'admin', 'agents-admin'), null],
    ['both kinds', { ...realm('agents-viewer'), ...client('agent-controller', 'operator') }, 'operator'],
    ['what every object has', realm('constructor', '__proto__', 'toString', 'hasOwnProperty'), null],
    ['other kinds of values', { realm_access: { roles: [1, null, { admin: true }] } }, null],
    ['no object', { realm_access: 'agents-admin', resource_access: null }, null],
    ['an object for a list', { realm_access: { roles: { 'agents-admin': true } } }, null],
  ])('%s', (_what, claims, role) => {
    expect(roleOf(claims, options)).toBe(role);
  });

  it.each<[string, Record<string, unknown>, Role | null]>([
    ['groups', { groups: ['agents-admin'] }, 'admin'],
    ['groups', { groups: ['admin'] }, null],
    ['scope', { scope: 'openid agents-viewer' }, 'viewer'],
    ['a.b', { a: { b: ['agents-viewer'] } }, 'viewer'],
    ['https://example.com/roles', { 'https://example.com/roles': ['agents-viewer'] }, 'viewer'],
    ['a.b', { a: 'agents-viewer' }, null],
    ['__proto__.x', {}, null],
  ])('the claim %s', (rolesClaim, claims, role) => {
    expect(roleOf(claims, { ...options, rolesClaim })).toBe(role);
  });
});
