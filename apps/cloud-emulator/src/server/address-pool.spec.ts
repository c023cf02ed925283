import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AddressPool } from './address-pool';

describe('AddressPool', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'address-pool-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('gives each address once among all pools of a machine, until it is released', () => {
    const pools = [new AddressPool(folder), new AddressPool(folder)];
    const taken = Array.from({ length: 200 }, (_, index) => pools[index % 2]?.take() ?? '');
    expect(new Set(taken).size).toBe(200);
    for (const address of taken) expect(address).toMatch(/^127\.20\.\d{1,3}\.([1-9]\d?|1\d\d|2[0-4]\d|25[0-4])$/);
    expect(readdirSync(folder).sort()).toEqual([...taken].sort());
    for (const address of taken) pools[0]?.release(address);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('sweeps away what dead processes held, and only that', () => {
    const dead = spawnSync(process.execPath, ['-e', '']).pid;
    writeFileSync(join(folder, '127.20.0.1'), String(dead));
    writeFileSync(join(folder, '127.20.0.2'), String(process.pid));
    writeFileSync(join(folder, '127.20.0.3'), '');
    const address = new AddressPool(folder).take();
    expect(readdirSync(folder).sort()).toEqual(['127.20.0.2', '127.20.0.3', address].sort());
  });
});
