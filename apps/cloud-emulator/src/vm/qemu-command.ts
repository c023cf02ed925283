import { join } from 'node:path';
import type { ProviderName } from '../project';
import { GUEST } from './guest-network';
import type { VmOptions } from './vm-options';

/** What cloud-init knows its datasource by. */
const MANUFACTURER: Record<ProviderName, string> = { hetzner: 'Hetzner', digitalocean: 'DigitalOcean' };

export interface QemuFacts {
  id: number;
  provider: ProviderName;
  lab: string;
  disk: string;
  monitor: string;
  console: string;
  address: string;
  ports: number[];
  metadataPort: number;
  internetPort: number;
  options: VmOptions;
}

/** Software emulation, and a network that leads nowhere but to the lab. QEMU ends when whoever started it does. */
export function qemuCommand(facts: QemuFacts): [string, ...string[]] {
  const { id, provider, lab, disk, monitor, options } = facts;
  return [
    'setpriv',
    ...['--pdeathsig', 'KILL', 'qemu-system-x86_64'],
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', String(options.memoryMb)],
    ...['-display', 'none', '-serial', `file:${facts.console}`, '-qmp', `unix:${monitor},server=on,wait=off`],
    ...['-smbios', `type=1,manufacturer=${MANUFACTURER[provider]},product=vServer,serial=${id}`],
    ...['-kernel', join(lab, 'vmlinuz'), '-initrd', join(lab, 'initrd'), '-append', kernelWords(options)],
    ...['-drive', `file=${disk},format=qcow2,if=virtio,cache=unsafe,discard=unmap`],
    ...['-netdev', network(facts), '-device', `virtio-net-pci,netdev=n0,mac=${GUEST.mac}`],
    ...['-device', 'virtio-rng-pci', '-nodefaults', '-no-user-config'],
  ];
}

function kernelWords({ freeDiskMb, watchProcesses }: VmOptions): string {
  return [
    'root=/dev/vda rw console=ttyS0 net.ifnames=0',
    ...(freeDiskMb === undefined ? [] : [`lab.free_mb=${freeDiskMb}`]),
    ...(watchProcesses ? ['lab.processes'] : []),
  ].join(' ');
}

function network({ address, ports, metadataPort, internetPort, options }: QemuFacts): string {
  // The plain form of guestfwd serves one connection only.
  const lead = (to: string, port: number) => `guestfwd=tcp:${to}-cmd:socat - TCP:127.0.0.1:${port}`;
  return [
    `user,id=n0,net=${GUEST.network}`,
    // Forwarded ports and guestfwd are not restricted.
    'restrict=on',
    lead(`${GUEST.metadata}:80`, metadataPort),
    ...(options.network === 'open' ? [lead(`${GUEST.lab}:443`, internetPort)] : []),
    ...ports.map((port) => `hostfwd=tcp:${address}:${port}-:${port}`),
  ].join(',');
}
