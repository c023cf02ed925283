/** @jest-config-loader ts-node */
/** @jest-config-loader-options {"transpileOnly": true} */
import { resolve } from 'node:path';
import type { Config } from 'jest';

// eslint-disable-next-line @typescript-eslint/no-require-imports
const { paths, swcOptions } = require('./tools/lib/swc-options.cjs') as {
  paths: Record<string, string[]>;
  swcOptions: Record<string, unknown>;
};

const project = (displayName: string, suffix: string, extra: Partial<Config> = {}): Config => ({
  displayName,
  rootDir: __dirname,
  roots: ['<rootDir>/apps', '<rootDir>/libs', '<rootDir>/tools'],
  testMatch: [`**/*.${suffix}.ts`],
  testEnvironment: 'node',
  transform: { '^.+\\.(t|j|mj|cj)s$': ['@swc/jest', swcOptions] },
  // NestJS 12 and some of Fastify's packages are ESM: SWC transforms node_modules as well (Jest caches it).
  transformIgnorePatterns: [],
  moduleNameMapper: Object.fromEntries(
    Object.entries(paths).map(([alias, [path]]) => [`^${alias}$`, resolve(__dirname, path ?? '')]),
  ),
  setupFiles: ['reflect-metadata'],
  ...extra,
});

const services: Partial<Config> = {
  globalSetup: '<rootDir>/tools/testing/global-setup.mjs',
  globalTeardown: '<rootDir>/tools/testing/global-teardown.mjs',
};

/** Virtual machines: only `npm run boot-lab` runs them. */
const lab = project('lab', 'lab-spec', {
  ...services,
  globalSetup: '<rootDir>/tools/boot-lab/global-setup.mjs',
});

const config: Config = {
  // Tests wait for most of their time.
  maxWorkers: process.env.BOOT_LAB ? 1 : 3,
  // Tests wait for conditions; this is only for one that never comes, on however slow a machine.
  testTimeout: process.env.BOOT_LAB ? 2_400_000 : 180_000,
  projects: process.env.BOOT_LAB
    ? [lab]
    : [project('unit', 'spec'), project('integration', 'int-spec', services), project('e2e', 'e2e-spec', services)],
};

export default config;
