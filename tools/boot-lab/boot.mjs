#!/usr/bin/env node
// Boots one server of the boot lab with given user data, as a provider would, and follows it until its agent-manager
// answers. `node tools/boot-lab/boot.mjs LAB USER_DATA [--provider hetzner|digitalocean] [--address 127.20.x.y] [--ws 8080]`
import { spawn, spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const MANUFACTURER = { hetzner: 'Hetzner', digitalocean: 'DigitalOcean' };

/**
 * @param {{lab: string, folder: string, userData: string, provider: 'hetzner' | 'digitalocean', address: string, wsPort: number}} options
 *   `lab` was made by build.sh; `folder` takes this server's disk and console
 * @returns {Promise<{stop: () => Promise<void>, ended: Promise<number | null>, console: string}>}
 */
export async function bootServer({ lab, folder, userData, provider, address, wsPort }) {
  mkdirSync(folder, { recursive: true });
  const disk = join(folder, 'disk.qcow2');
  rmSync(disk, { force: true });
  const base = resolve(lab, 'base.raw');
  const made = spawnSync('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', base, disk], {
    stdio: 'inherit',
  });
  if (made.status !== 0) throw new Error('qemu-img failed');
  const metadata = await serveMetadata(provider, userData);
  const consoleFile = join(folder, 'console.log');
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', '2048', '-nographic'],
      ...['-smbios', `type=1,manufacturer=${MANUFACTURER[provider]},product=vServer,serial=4711`],
      ...['-kernel', join(lab, 'vmlinuz'), '-initrd', join(lab, 'initrd')],
      ...['-append', 'root=/dev/vda rw console=ttyS0 net.ifnames=0'],
      ...['-drive', `file=${disk},format=qcow2,if=virtio,cache=unsafe`],
      '-netdev',
      [
        'user,id=n0,net=169.254.0.0/16',
        // The plain form of guestfwd serves one connection only.
        `guestfwd=tcp:169.254.169.254:80-cmd:socat - TCP:127.0.0.1:${metadata.port}`,
        `hostfwd=tcp:${address}:3000-:3000`,
        `hostfwd=tcp:${address}:${wsPort}-:${wsPort}`,
      ].join(','),
      ...['-device', 'virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const log = createWriteStream(consoleFile);
  qemu.stdout.pipe(log);
  qemu.stderr.pipe(log, { end: false });
  const ended = new Promise((done) => qemu.once('exit', done));
  return {
    console: consoleFile,
    ended,
    stop: async () => {
      qemu.kill('SIGTERM');
      await ended;
      metadata.close();
    },
  };
}

/** The provider's metadata address, as far as cloud-init reads it. */
function serveMetadata(provider, userData) {
  const mac = '52:54:00:12:34:56';
  const hetzner = [
    'availability-zone: nbg1-dc3',
    'hostname: lab-server',
    'instance-id: 4711',
    'public-ipv4: 169.254.2.15',
    'public-keys: []',
    'network-config:',
    '  version: 1',
    '  config:',
    `  - {type: physical, name: eth0, mac_address: '${mac}', subnets: [{type: dhcp, ipv4: true}]}`,
    '',
  ].join('\n');
  const digitalocean = JSON.stringify({
    droplet_id: 4711,
    hostname: 'lab-server',
    user_data: userData,
    vendor_data: '',
    public_keys: [],
    region: 'fra1',
    interfaces: {
      public: [
        {
          mac,
          type: 'public',
          ipv4: { ip_address: '169.254.2.15', netmask: '255.255.0.0', gateway: '169.254.2.2' },
        },
      ],
    },
    dns: { nameservers: ['169.254.2.3'] },
  });
  const answers = {
    hetzner: {
      '/hetzner/v1/metadata': hetzner,
      '/hetzner/v1/userdata': userData,
      '/hetzner/v1/metadata/instance-id': '4711',
    },
    digitalocean: { '/metadata/v1.json': digitalocean },
  }[provider];
  const server = createServer((request, response) => {
    const body = answers[request.url];
    response.writeHead(body === undefined ? 404 : 200, { connection: 'close' }).end(body ?? '');
  });
  return new Promise((done) =>
    server.listen(0, '127.0.0.1', () => done({ port: server.address().port, close: () => server.close() })),
  );
}

if (process.argv[1] && resolve(process.argv[1]) === import.meta.filename) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      provider: { type: 'string' },
      address: { type: 'string' },
      ws: { type: 'string' },
      folder: { type: 'string' },
    },
  });
  const [lab, userDataFile] = positionals;
  const server = await bootServer({
    lab,
    folder: values.folder ?? join(lab, 'server-1'),
    userData: readFileSync(userDataFile, 'utf8'),
    provider: values.provider ?? 'hetzner',
    address: values.address ?? '127.20.255.1',
    wsPort: Number(values.ws ?? 8080),
  });
  process.once('SIGINT', () => void server.stop());
  process.once('SIGTERM', () => void server.stop());
  console.log(`console: ${server.console}`);
  await server.ended;
}
