import { load } from 'js-yaml';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

interface ComposeFile {
  services: Record<string, { ports?: string[]; environment?: Record<string, unknown>; [key: string]: unknown }>;
  configs: Record<string, { content: string }>;
  networks: Record<string, unknown>;
}

describe('docker-compose.yml', () => {
  const { services, configs, networks } = load(
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

  it('passes on who calls: proxy and controllers believe those of one network, in which the proxy is', () => {
    const [{ subnet }] = (networks['front'] as { ipam: { config: [{ subnet: string }] } }).ipam.config;
    expect(services['proxy']?.['networks']).toEqual(['front']);
    expect(services['controller']?.environment?.['TRUST_PROXY']).toBe(`\${TRUST_PROXY:-${subnet}}`);
    expect(configs['caddyfile']?.content).toContain(`trusted_proxies static ${subnet}\n`);
  });

  it.each(Object.keys(services))('gives %s no more than it needs', (name) => {
    const service = services[name] ?? {};
    expect(service).toMatchObject({
      ...{ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] },
      tmpfs: expect.arrayContaining(['/tmp']),
    });
    for (const key of ['privileged', 'network_mode', 'pid', 'ipc', 'devices']) expect(service).not.toHaveProperty(key);
    expect(JSON.stringify(service)).not.toContain('docker.sock');
  });

  it('gives the controller no capability, and lets nobody but it reach the database', () => {
    expect(services['controller']).not.toHaveProperty('cap_add');
    const inBack = Object.keys(services).filter((name) => (services[name]?.['networks'] as string[]).includes('back'));
    expect(inBack.sort()).toEqual(['controller', 'postgres']);
    expect(networks['back']).toEqual({ internal: true });
    expect(services['postgres']).not.toHaveProperty('ports');
  });
});

describe('Dockerfile', () => {
  const lines = readFileSync(join(__dirname, '../../../Dockerfile'), 'utf8').split('\n');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('runs as another than root, who owns nothing of it', () => {
    expect(last.filter((line) => line.startsWith('USER '))).toEqual(['USER node']);
    expect(last.join('\n')).not.toMatch(/chown|^ADD |^ENV .*(KEY|TOKEN|SECRET|PASSWORD)/m);
  });

  it('installs what the lockfile says, and lets no package run anything', () => {
    const installs = lines.filter((line) => /\bnpm /.test(line));
    expect(installs).toHaveLength(2);
    for (const line of installs) expect(line).toMatch(/npm (ci|prune) .*--ignore-scripts/);
  });
});
