// Loaded into a controller before its own code (`node --import`): counts what it sends to the database, and writes that into
// a file at each SIGUSR2.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { Client } = createRequire(import.meta.url)('pg');
const { query } = Client.prototype;
const counts = new Map();
Client.prototype.query = function (...given) {
  const [statement] = given;
  const text = typeof statement === 'string' ? statement : statement?.text;
  counts.set(text, (counts.get(text) ?? 0) + 1);
  return query.apply(this, given);
};
process.on('SIGUSR2', () => writeFileSync(process.env.BENCH_STATEMENTS_FILE, JSON.stringify([...counts])));
