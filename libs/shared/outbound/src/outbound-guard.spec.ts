import { parseUrl } from '@agent-controller/kernel';
import fc from 'fast-check';
import { OutboundGuard, OutboundRefusedError, type Destination, type Lookup } from './outbound-guard';

const never = new AbortController().signal;
const PUBLIC = '93.184.216.34';

interface World {
  allowedHosts?: string[];
  allowedNetworks?: string[];
  configuredUrls?: string[];
  /** What each look-up answers, one after the other; the last stays. */
  answers?: string[][];
}

function guardIn({ allowedHosts = [], allowedNetworks = [], configuredUrls = [], answers = [[PUBLIC]] }: World) {
  const asked: string[] = [];
  const lookup: Lookup = async (hostname) => {
    asked.push(hostname);
    const found = answers[Math.min(asked.length, answers.length) - 1] ?? [];
    return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { guard: new OutboundGuard({ allowedHosts, allowedNetworks, configuredUrls }, lookup), asked };
}

/** What each way to ask says: at the request, and when a connection is to be made. */
async function problems(world: World, url: string, destination: Destination = 'named-by-caller') {
  const early = await guardIn(world).guard.problem(url, destination);
  const resolved = guardIn(world).guard.resolve(new URL(url), destination, never);
  const late = await resolved.then(
    () => null,
    (error: Error) => (error instanceof OutboundRefusedError ? error.message : Promise.reject(error)),
  );
  return { early, late };
}

describe('OutboundGuard', () => {
  const any = { allowedHosts: ['*'] };

  it('lets an allowed host pass, by the addresses that were looked at', async () => {
    const { guard, asked } = guardIn({ allowedHosts: ['login.example.com'], answers: [[PUBLIC, '2606:4700::1']] });
    const url = new URL('https://login.example.com/realms');
    expect(await guard.resolve(url, 'named-by-caller', never)).toEqual([
      { address: PUBLIC, family: 4 },
      { address: '2606:4700::1', family: 6 },
    ]);
    expect(asked).toEqual(['login.example.com']);
    expect(await guard.problem(url.href, 'named-by-caller')).toBeNull();
  });

  it('refuses hosts that are not allowed, without asking for their addresses', async () => {
    const { guard, asked } = guardIn({ allowedHosts: ['login.example.com'] });
    const message = 'the host evil.example is not allowed: ask the operator to add it to OUTBOUND_ALLOWED_HOSTS';
    expect(await guard.problem('https://evil.example', 'named-by-caller')).toBe(message);
    await expect(guard.resolve(new URL('https://evil.example'), 'named-by-caller', never)).rejects.toThrow(message);
    expect(asked).toEqual([]);
  });

  it.each([
    ['https://user@login.example.com', 'a user in a URL is not sent'],
    ['https://:secret@login.example.com', 'a user in a URL is not sent'],
    ['https://login.example.com:0', 'there is no port 0'],
    ['https://login.example.com.', 'login.example.com. is no host'],
    ['https://login..example.com', 'login..example.com is no host'],
    ['ftp://login.example.com', 'only https and http are called'],
    ['file:///etc/passwd', 'only https and http are called'],
    ['javascript:alert(1)', 'only https and http are called'],
  ])('refuses %s', async (url, message) => {
    expect(await problems(any, url)).toEqual({ early: message, late: message });
  });

  it('refuses what is no URL', async () => {
    expect(await guardIn(any).guard.problem('https://', 'named-by-caller')).toBe('it is no URL');
  });

  it.each(['localhost', 'LOCALHOST', 'a.localhost', 'loc%61lhost'])(
    'refuses %s, whatever the resolver says',
    async (host) => {
      expect(await guardIn(any).guard.problem(`http://${host}:8080`, 'named-by-caller')).toMatch(/loopback/);
    },
  );

  it('refuses a name when one of its addresses is not public', async () => {
    const answers = [[PUBLIC, '10.0.0.5']];
    const message =
      'login.example.com leads to no public address (private): ask the operator to add its network to OUTBOUND_ALLOWED_NETWORKS';
    expect(await problems({ ...any, answers }, 'https://login.example.com')).toEqual({ early: message, late: message });
  });

  it('refuses at the call a name that was fine at the request (DNS rebinding)', async () => {
    const { guard, asked } = guardIn({ ...any, answers: [[PUBLIC], ['169.254.169.254']] });
    expect(await guard.problem('http://rebind.example', 'named-by-caller')).toBeNull();
    await expect(guard.resolve(new URL('http://rebind.example'), 'named-by-caller', never)).rejects.toThrow(
      'rebind.example leads to no public address (link-local), and such are never called',
    );
    expect(asked).toHaveLength(2);
  });

  it('takes a name that cannot be resolved at the request, not at the call', async () => {
    const gone = Object.assign(new Error('no such name'), { code: 'ENOTFOUND' });
    const rules = { allowedHosts: ['*'], allowedNetworks: [], configuredUrls: [] };
    const guard = new OutboundGuard(rules, () => Promise.reject(gone));
    expect(await guard.problem('https://new.example', 'named-by-caller')).toBeNull();
    await expect(guard.resolve(new URL('https://new.example'), 'named-by-caller', never)).rejects.toBe(gone);
  });

  it('does not take a name without addresses for one that may be called', async () => {
    const { guard } = guardIn({ ...any, answers: [[]] });
    await expect(guard.resolve(new URL('https://new.example'), 'named-by-caller', never)).rejects.toMatchObject({
      code: 'ENOTFOUND',
    });
  });

  it('waits for the resolver no longer than the caller does', async () => {
    const rules = { allowedHosts: ['*'], allowedNetworks: [], configuredUrls: [] };
    const guard = new OutboundGuard(rules, () => new Promise(() => undefined));
    const gone = new AbortController();
    const waiting = guard.resolve(new URL('https://slow.example'), 'named-by-caller', gone.signal);
    gone.abort(new Error('The controller stops'));
    await expect(waiting).rejects.toThrow('The controller stops');
    await expect(guard.resolve(new URL('https://slow.example'), 'named-by-caller', gone.signal)).rejects.toThrow();
  });

  it('lets addresses of allowed networks pass, and of no others', async () => {
    const world = { ...any, allowedNetworks: ['10.1.0.0/16', 'fd00:1::/32'] };
    expect(await problems(world, 'https://10.1.2.3:3000')).toEqual({ early: null, late: null });
    expect(await problems(world, 'https://[fd00:1::7]')).toEqual({ early: null, late: null });
    expect((await problems(world, 'https://10.2.2.3')).late).toMatch(/OUTBOUND_ALLOWED_NETWORKS/);
  });

  it.each([
    '169.254.169.254',
    '0.0.0.0',
    '255.255.255.255',
    '[fe80::1]',
    '[64:ff9b::7f00:1]',
    '224.0.0.1',
    '168.63.129.16',
  ])('never lets %s pass, whatever is allowed', async (host) => {
    const world = {
      allowedHosts: ['*'],
      allowedNetworks: ['0.0.0.0/0', '::/0'],
      configuredUrls: [`http://${host}`],
    };
    for (const destination of ['own-server', 'named-by-caller', 'named-by-service'] as const) {
      const { early, late } = await problems(world, `http://${host}`, destination);
      expect(early).toMatch(/never called/);
      expect(late).toBe(early);
    }
  });

  describe('what is configured', () => {
    const world = { configuredUrls: ['http://keycloak.internal:8080/auth'], answers: [['10.0.0.9']] };

    it('may be in a private network, at exactly that origin', async () => {
      expect(await problems(world, 'http://keycloak.internal:8080/auth')).toEqual({ early: null, late: null });
      expect(await problems(world, 'http://keycloak.internal:8080/other', 'named-by-service')).toEqual({
        early: null,
        late: null,
      });
    });

    it.each(['http://keycloak.internal:5432', 'https://keycloak.internal:8080'])('does not open %s', async (url) => {
      expect((await problems(world, url)).late).toMatch(/no public address/);
    });

    it('has its host allowed where it is public', async () => {
      const elsewhere = { ...world, answers: [[PUBLIC]] };
      expect(await problems(elsewhere, 'https://keycloak.internal')).toEqual({ early: null, late: null });
      expect((await problems(elsewhere, 'https://other.internal')).late).toMatch(/not allowed/);
    });

    it('opens nothing for the address of a server', async () => {
      const own = { configuredUrls: ['https://10.0.0.9:3000'] };
      expect((await problems(own, 'https://10.0.0.9:3000', 'own-server')).late).toMatch(/no public address/);
    });
  });

  describe('a server of ours', () => {
    it.each([`https://${PUBLIC}:3000`, 'https://[2a01:4f8::1]:3000'])(
      'is called at %s, with nothing allowed',
      async (url) => {
        expect(await problems({}, url, 'own-server')).toEqual({ early: null, late: null });
      },
    );

    it.each(['https://10.0.0.5:3000', 'https://127.0.0.1:3000', 'https://[fd00::1]:3000', 'https://[::1]:3000'])(
      'is not called at %s',
      async (url) => {
        expect((await problems(any, url, 'own-server')).late).toMatch(/no public address/);
      },
    );

    it('is not called by a name', async () => {
      const { guard, asked } = guardIn(any);
      await expect(guard.resolve(new URL('https://agent.example.com'), 'own-server', never)).rejects.toThrow(
        'by its address',
      );
      expect(asked).toEqual([]);
    });
  });

  it('takes the address of a service that a configured one names, when it is public', async () => {
    expect((await problems({}, 'https://keys.example/jwks', 'named-by-service')).late).toBeNull();
    const inner = { answers: [['192.168.0.1']] };
    expect((await problems(inner, 'https://keys.example/jwks', 'named-by-service')).late).toMatch(/no public address/);
  });

  describe('notations of addresses', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    const inner = fc.oneof(
      fc.tuple(fc.constantFrom(0, 10, 127), byte, byte, byte),
      fc.tuple(fc.constant(100), fc.integer({ min: 64, max: 127 }), byte, byte),
      fc.tuple(fc.constant(169), fc.constant(254), byte, byte),
      fc.tuple(fc.constant(172), fc.integer({ min: 16, max: 31 }), byte, byte),
      fc.tuple(fc.constant(192), fc.constant(168), byte, byte),
      fc.tuple(fc.integer({ min: 224, max: 255 }), byte, byte, byte),
    );
    type Bytes = [number, number, number, number];
    const whole = ([a, b, c, d]: Bytes) => ((a * 256 + b) * 256 + c) * 256 + d;
    const hex = (value: number) => value.toString(16);
    const groups = ([a, b, c, d]: Bytes) => `${hex(a * 256 + b)}:${hex(c * 256 + d)}`;
    const asIpv4: ((bytes: Bytes) => string)[] = [
      (bytes) => bytes.join('.'),
      (bytes) => `${bytes.join('.')}.`,
      (bytes) => String(whole(bytes)),
      (bytes) => `0x${hex(whole(bytes))}`,
      (bytes) => `0X${hex(whole(bytes)).toUpperCase()}`,
      (bytes) => `0${whole(bytes).toString(8)}`,
      (bytes) => bytes.map((each) => `0x${hex(each)}`).join('.'),
      (bytes) => bytes.map((each) => `0${each.toString(8)}`).join('.'),
      (bytes) => bytes.map((each) => `000${each.toString(8)}`).join('.'),
      ([a, b, c, d]) => `${a}.${(b * 256 + c) * 256 + d}`,
      ([a, b, c, d]) => `${a}.${b}.0x${hex(c * 256 + d)}`,
      (bytes) => bytes.join('%2e'),
      (bytes) => bytes.join('。'),
      (bytes) => bytes.join('.').replace(/\d/g, (digit) => String.fromCodePoint(0xff10 + Number(digit))),
    ];
    const asIpv6: ((bytes: Bytes) => string)[] = [
      (bytes) => `[::ffff:${bytes.join('.')}]`,
      (bytes) => `[::FFFF:${groups(bytes).toUpperCase()}]`,
      (bytes) => `[0:0:0:0:0:ffff:${groups(bytes)}]`,
      (bytes) => `[0000:0000:0000:0000:0000:ffff:${bytes.join('.')}]`,
      (bytes) => `[::${bytes.join('.')}]`,
      (bytes) => `[::ffff:0:${groups(bytes)}]`,
      (bytes) => `[64:ff9b::${bytes.join('.')}]`,
      (bytes) => `[64:ff9b:1::${groups(bytes)}]`,
      (bytes) => `[2002:${groups(bytes)}::1]`,
    ];
    const destinations = ['own-server', 'named-by-caller', 'named-by-service'] as const;

    it('lets no inner address pass in any of them', async () => {
      const notation = fc.constantFrom(...asIpv4, ...asIpv6);
      await fc.assert(
        fc.asyncProperty(inner, notation, fc.constantFrom(...destinations), async (bytes, write, destination) => {
          const url = `http://${write(bytes)}/`;
          // What the parser does not take can be called by nobody.
          if (!parseUrl(url)) return;
          const { early, late } = await problems(any, url, destination);
          expect(early).toMatch(/public address|is called by its address/);
          expect(late).toBe(early);
        }),
        { numRuns: 2_000 },
      );
    });

    it('lets no inner IPv6 address pass', async () => {
      const group = fc.integer({ min: 0, max: 0xffff }).map(hex);
      const first = fc.constantFrom('fc00', 'fd12', 'fe80', 'febf', 'fec0', 'ff02', '2002', '100', '0', '4000');
      await fc.assert(
        fc.asyncProperty(first, fc.array(group, { minLength: 7, maxLength: 7 }), async (head, rest) => {
          const { early, late } = await problems(any, `http://[${[head, ...rest].join(':')}]/`);
          expect(early).toMatch(/no public address/);
          expect(late).toBe(early);
        }),
        { numRuns: 500 },
      );
    });

    it.each(asIpv4.map((write) => write([93, 184, 216, 34])))('lets a public one pass as %s', async (host) => {
      expect(await problems(any, `http://${host}/`)).toEqual({ early: null, late: null });
    });
  });
});
