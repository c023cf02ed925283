import { z } from 'zod';

/** What is special about one virtual machine, ordered by the admin API before the server itself. */
export const vmOptionsSchema = z.strictObject({
  /** `plain` has no Docker on it. */
  disk: z.enum(['docker', 'plain']).default('docker'),
  /** `none`: nothing but the provider's metadata can be reached from inside. */
  network: z.enum(['open', 'none']).default('open'),
  /** `down`: download.docker.com answers 503. */
  dockerRepository: z.enum(['up', 'down']).default('up'),
  /** What the disk has left when the machine starts, in MiB. */
  freeDiskMb: z.number().int().positive().optional(),
  memoryMb: z.number().int().min(512).default(2_048),
  /** Keeps every command line that is seen in /run/lab/processes. */
  watchProcesses: z.boolean().default(false),
});

export type VmOptions = z.infer<typeof vmOptionsSchema>;
