import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

/** Gives one command to QEMU's monitor (QMP). @throws Error when QEMU refuses it, or does not run */
export async function tellMonitor(path: string, command: 'system_reset' | 'system_powerdown'): Promise<void> {
  const socket = createConnection(path);
  try {
    await once(socket, 'connect');
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    await lines.next();
    for (const execute of ['qmp_capabilities', command]) {
      socket.write(`${JSON.stringify({ execute })}\n`);
      await answered(lines, execute);
    }
  } finally {
    socket.destroy();
  }
}

/** Events may come in between. */
async function answered(lines: AsyncIterator<string>, command: string): Promise<void> {
  for (;;) {
    const { value, done } = await lines.next();
    const answer = done ? { error: { desc: 'the monitor closed' } } : (JSON.parse(value) as Record<string, unknown>);
    if ('return' in answer) return;
    if ('error' in answer) throw new Error(`QEMU refuses ${command}: ${(answer['error'] as { desc: string }).desc}`);
  }
}
