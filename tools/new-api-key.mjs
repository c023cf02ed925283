#!/usr/bin/env node
// `npm run new-api-key -- NAME ROLE`: a random key, and the entry by which controllers know it (API_KEYS, API_KEYS_FILE).
import { createHash, randomBytes } from 'node:crypto';

const [name = '', role = ''] = process.argv.slice(2);
if (!/^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/.test(name) || !['viewer', 'operator', 'admin'].includes(role)) {
  console.error('Usage: npm run new-api-key -- NAME ROLE');
  console.error('NAME: lower case letters, digits, dots, dashes; ROLE: viewer, operator or admin');
  process.exit(1);
}
const key = randomBytes(32).toString('base64url');
console.log(`key, for the caller (it is shown only now):  ${key}`);
console.log(
  `entry, for the controller:                   ${name}:${role}:${createHash('sha256').update(key).digest('hex')}`,
);
