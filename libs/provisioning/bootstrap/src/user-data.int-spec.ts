import { load } from 'js-yaml';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXAMPLE_CONTROLLER, exampleSpec } from './bootstrap-spec.fixture';
import { renderUserData } from './user-data';

// CI installs these Debian packages and sets REQUIRE_SYSTEM_TOOLS=1: there, a missing one is a failure.
const has = (command: string, ...args: string[]) =>
  process.env.REQUIRE_SYSTEM_TOOLS === '1' || spawnSync(command, args).status === 0;
const withTool = (present: boolean) => (present ? it : it.skip);
const label = (tool: string, present: boolean) => (present ? '' : ` (skipped: ${tool} is not installed here)`);

const cases = [
  ['plain', renderUserData(exampleSpec(), { maxBytes: 32_768 })],
  ['with redemption', renderUserData(exampleSpec(EXAMPLE_CONTROLLER), { maxBytes: 32_768 })],
  ['compressed', renderUserData(exampleSpec(), { maxBytes: 16_384 })],
] as const;

describe('user data and the tools that read it', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'user-data-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const cloudInit = has('cloud-init', '--version');
  for (const [name, userData] of cases) {
    withTool(cloudInit)(`${name}: cloud-init's schema accepts it${label('cloud-init', cloudInit)}`, () => {
      const file = join(folder, `${name}.yml`);
      writeFileSync(file, userData);
      const output = execFileSync('cloud-init', ['schema', '--config-file', file], { encoding: 'utf8', stdio: 'pipe' });
      expect(output).toMatch(/Valid (schema|cloud-config)/);
    });
  }

  const python = has('python3', '-c', 'import yaml');
  withTool(python)(`PyYAML, which cloud-init reads with, sees the same${label('python3-yaml', python)}`, () => {
    const values = [
      '\u0085',
      '\u2028\u2029',
      '\r\n\r',
      '\u{1F600}',
      '\x7f\x9f',
      '\ufeff',
      '\t # x',
      '"\\"',
      "''",
      '\uffff',
      '~',
      '',
    ];
    const environment = Object.fromEntries(values.map((value, index) => [`V_${index}`, value]));
    const userData = renderUserData(exampleSpec({ environment }), { maxBytes: 32_768 });
    const script = [
      'import json, sys, yaml',
      'config = yaml.safe_load(sys.stdin.buffer.read().decode("utf-8"))',
      'files = {f["path"]: f["content"] for f in config["write_files"]}',
      'override = yaml.safe_load(files["/opt/agent-manager/docker-compose.override.yml"])',
      'print(json.dumps([config, override["services"]["agent-manager"]["environment"]]))',
    ].join('\n');
    const output = execFileSync('python3', ['-c', script], { input: userData, encoding: 'utf8' });
    const [config, seen] = JSON.parse(output) as [unknown, Record<string, string>];
    expect(config).toEqual(load(userData));
    expect(seen).toMatchObject(environment);
  });

  const shellcheck = has('shellcheck', '--version');
  withTool(shellcheck)(`shellcheck finds nothing in the scripts${label('shellcheck', shellcheck)}`, () => {
    const { write_files: files } = load(cases[0][1]) as { write_files: { path: string; content: string }[] };
    const scripts = files.filter(({ content }) => content.startsWith('#!/usr/bin/env bash'));
    expect(scripts).toHaveLength(2);
    for (const { content } of scripts) {
      const { stdout, status } = spawnSync('shellcheck', ['-'], { input: content, encoding: 'utf8' });
      expect({ stdout, status }).toEqual({ stdout: '', status: 0 });
    }
  });
});
