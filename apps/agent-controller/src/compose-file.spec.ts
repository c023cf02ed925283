import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ComposeFile {
  services: Record<string, { ports?: string[]; environment?: Record<string, unknown>; [key: string]: unknown }>;
  configs: Record<string, { content: string }>;
}

describe('docker-compose.yml', () => {
  const { services, configs } = load(
    readFileSync(join(__dirname, '../../../docker-compose.yml'), 'utf8'),
  ) as ComposeFile;

  it('has nothing that only one controller could have', () => {
    const { controller } = services;
    expect(controller).toBeDefined();
    for (const key of ['ports', 'container_name', 'hostname', 'volumes']) expect(controller).not.toHaveProperty(key);
  });

  it('leaves a controller the time to end', () => {
    expect(services['controller']?.['stop_grace_period']).toBe('10s');
  });

  it('leads the one published address to all of them, streams at once', () => {
    expect(services['proxy']?.ports).toEqual(['127.0.0.1:3100:3100']);
    const content = configs['caddyfile']?.content ?? '';
    expect(content).toContain('name controller\n');
    expect(content).toContain(`port ${String(services['controller']?.environment?.['PORT'])}\n`);
    expect(content).toContain('flush_interval -1');
  });
});
