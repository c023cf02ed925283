import { readCompose } from './compose';
import { RefusedError } from './refused.error';

const FOLDER = '/opt/app';

function read(compose: string, others: Record<string, string> = {}, assumed: Record<string, string> = {}) {
  const files = { 'docker-compose.yml': compose, ...others };
  const byPath = new Map(Object.entries(files).map(([name, text]) => [`${FOLDER}/${name}`, text]));
  return readCompose(byPath, FOLDER, assumed);
}

/** One service, with these lines under its name. */
function readOne(lines: string, others: Record<string, string> = {}, assumed: Record<string, string> = {}) {
  const [service] = read(
    `services:\n  one:\n    image: one\n    ${lines.replaceAll('\n', '\n    ')}\n`,
    others,
    assumed,
  );
  if (!service) throw new Error('There is no service');
  return service;
}

describe('readCompose', () => {
  it('reads environment as a map and as a list, with what is not a string', () => {
    expect(readOne('environment: {A: "1", B: 2, C: true, D: "", E: yes}').environment).toEqual({
      A: '1',
      B: '2',
      C: 'true',
      D: '',
      E: 'yes',
    });
    expect(readOne('environment:\n  - A=1\n  - B=x=y\n  - C=').environment).toEqual({ A: '1', B: 'x=y', C: '' });
  });

  it('takes a name alone from .env, and leaves it out when it is not there', () => {
    const others = { '.env': 'A=from dotenv' };
    expect(readOne('environment:\n  - A\n  - B', others).environment).toEqual({ A: 'from dotenv' });
    expect(readOne('environment: {A: , B: }', others).environment).toEqual({ A: 'from dotenv' });
  });

  it('interpolates values from .env and from what is assumed, and .env wins', () => {
    const others = { '.env': "NAME='a $literal'\nBOTH=dotenv" };
    expect(
      readOne('environment:\n  A: "$$NAME ${NAME} ${UNSET:-default}"\n  B: $BOTH-$GID', others, {
        GID: '999',
        BOTH: 'x',
      }).environment,
    ).toEqual({ A: '$NAME a $literal default', B: 'dotenv-999' });
  });

  it('interpolates no names, and only once', () => {
    expect(readOne('environment: {$X: "$$$${X}"}', { '.env': 'X=x' }).environment).toEqual({ $X: '$${X}' });
  });

  it('reads env files in order; environment wins; what is raw is literal', () => {
    const others = { 'a.env': 'A=1\nB=1\nC=${B}', 'sub/b.env': "B='$2'\nD=$A" };
    const lines = 'env_file:\n  - a.env\n  - {path: ./sub/b.env, format: raw}\n  - {path: no.env, required: false}';
    expect(readOne(lines, others).environment).toEqual({ A: '1', B: "'$2'", C: '1', D: '$A' });
    expect(readOne(`${lines}\nenvironment: {A: own}`, others).environment).toMatchObject({ A: 'own', B: "'$2'" });
    expect(readOne('env_file: a.env', others).environment).toEqual({ A: '1', B: '1', C: '1' });
  });

  it.each([
    ['"3000:3000"', [{ host: 3000, container: 3000 }]],
    ['"0.0.0.0:8443:8080/tcp"', [{ host: 8443, container: 8080 }]],
    ['"[::]:8443:8080"', [{ host: 8443, container: 8080 }]],
    ['{target: 8080, published: "8443"}', [{ host: 8443, container: 8080 }]],
    ['{target: 8080, published: 8443, protocol: tcp, mode: host}', [{ host: 8443, container: 8080 }]],
    ['"127.0.0.1:3000:3000"', []],
    ['{target: 8080, published: 8443, host_ip: 127.0.0.1}', []],
    ['"3000:3000/udp"', []],
    ['3000', []],
  ])('reads the port %s as others can reach it', (port, expected) => {
    expect(readOne(`ports: [${port}]`).ports).toEqual(expected);
  });

  it('reads volumes: paths from its folder, names, the long form, one for each target', () => {
    const lines = [
      'volumes:',
      '  - ./tls:/tls:ro',
      '  - data:/data',
      '  - {type: bind, source: ../etc, target: /etc/x}',
      '  - /anonymous',
      '  - /other:/tls/',
    ];
    const [service] = read(`services:\n  one:\n    image: one\n    ${lines.join('\n    ')}\nvolumes:\n  data:\n`);
    expect(service?.volumes).toEqual([
      { source: '/other', target: '/tls' },
      { source: 'data', target: '/data' },
      { source: '/opt/etc', target: '/etc/x' },
      { source: '', target: '/anonymous' },
    ]);
  });

  it('merges the override: maps by key, lists put together, scalars replaced, whatever the form', () => {
    const base = [
      'services:',
      '  one:',
      '    image: one:1',
      '    environment: [A=1, B=1]',
      '    ports: ["1:1"]',
      '    networks: [front]',
      'networks: {front: , back: }',
    ];
    const override = [
      'services:',
      '  one:',
      '    image: one:2',
      '    environment: {B: "2", C: "$$"}',
      '    ports: ["2:2"]',
      '    networks: {back: {aliases: [x]}}',
      '  two: {image: two, depends_on: [one]}',
    ];
    expect(read(base.join('\n'), { 'docker-compose.override.yml': override.join('\n') })).toEqual([
      {
        name: 'one',
        image: 'one:2',
        environment: { A: '1', B: '2', C: '$' },
        ports: [
          { host: 1, container: 1 },
          { host: 2, container: 2 },
        ],
        volumes: [],
        networks: ['front', 'back'],
      },
      { name: 'two', image: 'two', environment: {}, ports: [], volumes: [], networks: ['default'] },
    ]);
  });

  it.each([
    ['services: [', 'not valid YAML'],
    ['services:\n  one: {image: a}\n  one: {image: b}', 'not valid YAML'],
    ['- a list', 'not a mapping'],
    ['services: {one: {}}', 'no image'],
    ['services: {one: {image: "a b"}}', 'invalid image'],
    ['services: {one: {image: "${NO}"}}', 'no image'],
    ['services: {one: {image: one, depends_on: {two: {condition: service_started}}}}', 'undefined service two'],
    ['services: {one: {image: one, networks: [x]}}', 'undefined network x'],
    ['services: {one: {image: one, volumes: ["x:/x"]}}', 'volume x is undefined'],
    ['services: {one: {image: one, ports: ["a:b"]}}', 'is not understood'],
    ['services: {one: {image: one, ports: ["70000:1"]}}', 'invalid port'],
    ['services: {one: {image: one, env_file: no.env}}', 'no.env not found'],
    ['services: {one: {image: one, env_file: {path: docker-compose.yml, format: toml}}}', 'unsupported format'],
    ['services: {one: {image: one, environment: {A: [1]}}}', 'must be a scalar'],
    ['services: {one: {image: one, environment: {A: "${A:?is needed}"}}}', 'is needed'],
  ])('refuses %j', (compose, message) => {
    expect(() => read(compose)).toThrow(RefusedError);
    expect(() => read(compose)).toThrow(message);
  });
});
