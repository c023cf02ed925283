import 'reflect-metadata';
import {
  EncryptionCanaryService,
  KeyRotation,
  SealedValues,
  dataSourceOptions,
  type RotationReport,
} from '@agent-controller/database';
import { SecretBox } from '@agent-controller/kernel';
import { DataSource } from 'typeorm';
import { parseRotationEnv } from './env';

/** For operations: seals everything anew with the first of `ENCRYPTION_KEYS`, while controllers run. */
async function main(): Promise<void> {
  const { DATABASE_URL, DATABASE_DIRECT_URL, ENCRYPTION_KEYS } = parseRotationEnv();
  const box = new SecretBox(ENCRYPTION_KEYS);
  const url = DATABASE_DIRECT_URL ?? DATABASE_URL;
  const options = dataSourceOptions({ url, applicationName: 'rotate-keys', poolSize: 1, entities: [] });
  const dataSource = await new DataSource(options).initialize();
  try {
    await new EncryptionCanaryService(dataSource, box).check();
    const report = await new KeyRotation(new SealedValues(dataSource), box).run();
    process.stdout.write(`${lines(report).join('\n')}\n`);
    if (!isComplete(report)) process.exitCode = 1;
  } finally {
    await dataSource.destroy();
  }
}

function isComplete({ columns }: RotationReport): boolean {
  return columns.every(({ left }) => left === 0);
}

function lines(report: RotationReport): string[] {
  const { keyId, columns, unopened } = report;
  return [
    `The sealing key is ${keyId}, the first of ENCRYPTION_KEYS.`,
    ...columns.map(
      ({ table, column, resealed, changedMeanwhile, left }) =>
        `${table}.${column}: ${resealed} sealed anew, ${changedMeanwhile} changed by others meanwhile, ${left} left`,
    ),
    ...unopened.map(({ message }) => `could not be opened: ${message}`),
    isComplete(report)
      ? 'Nothing is sealed with another key any more: the older keys can go.'
      : 'Keep the older keys. What could not be opened needs its key, or is lost; for the rest, run this again.',
  ];
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
