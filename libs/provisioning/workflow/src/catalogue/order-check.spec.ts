import type { Location, ServerImage, ServerTypeLocation } from '@agent-controller/cloud-port';
import { AppError } from '@agent-controller/kernel';
import { DEBIAN } from '../testing/fake-cloud-provider';
import { checkOrder, type Offer } from './order-check';

const at = (id: string, priceMonthly: number, changes: Partial<ServerTypeLocation> = {}): ServerTypeLocation => ({
  id,
  available: true,
  priceMonthly,
  priceHourly: priceMonthly / 700,
  addressPriceMonthly: 0.6,
  deprecatedAfter: null,
  ...changes,
});

const type = (id: string, memory: number, locations: ServerTypeLocation[], architecture: 'x86' | 'arm' = 'x86') => ({
  id,
  name: id.toUpperCase(),
  cores: 2,
  memory,
  disk: 40,
  architecture,
  description: id,
  currency: 'EUR',
  priceMonthly: Math.min(...locations.map((location) => location.priceMonthly)),
  priceHourly: 0.01,
  locations,
});

const location = (id: string): Location => ({ id, name: id, country: 'DE', city: id, available: true });

const closed = { available: false };
const snapshot: ServerImage = { ...DEBIAN, id: '77', name: null, kind: 'own', locations: ['fsn1', 'ash'] };
const offer: Offer = {
  images: [DEBIAN, { ...DEBIAN, id: '2', architecture: 'arm' }, snapshot],
  locations: ['fsn1', 'nbg1', 'ash', 'empty'].map(location),
  serverTypes: [
    type('big', 16, [at('fsn1', 20), at('nbg1', 19)]),
    type('small', 4, [at('fsn1', 4.1), at('nbg1', 3.49), at('ash', 3, closed)]),
    type('middle', 8, [at('fsn1', 8), at('ash', 9)]),
    type('arm', 8, [at('fsn1', 2)], 'arm'),
    type('sold-out', 8, [at('fsn1', 7, closed), at('nbg1', 7, closed)]),
  ],
};

function refusal(serverType: string, where?: string, of = offer): AppError {
  const [problem] = checkOrder(of, { serverType, location: where, image: 'debian-13' }, 'hetzner').problems;
  if (!problem) throw new Error('was accepted');
  return problem;
}

const accepted = (serverType: string, where?: string, image = 'debian-13', of = offer) => {
  const { order, problems } = checkOrder(of, { serverType, location: where, image }, 'hetzner');
  expect(problems).toEqual([]);
  return order;
};

describe('checkOrder accepts', () => {
  it('a type where it is available, with the price there and of its address', () => {
    expect(accepted('small', 'fsn1')).toEqual({
      serverType: 'small',
      location: 'fsn1',
      image: 'debian-13',
      isProvenImage: true,
      monthlyCost: 4.7,
      currency: 'EUR',
    });
  });

  it('a type alone, and takes the cheapest location that is available', () => {
    expect(accepted('small')).toMatchObject({ location: 'nbg1', monthlyCost: 4.09, currency: 'EUR' });
  });

  it('and counts the address into what is cheapest', () => {
    const dear = type('x', 4, [at('fsn1', 4, { addressPriceMonthly: 2 }), at('nbg1', 5, { addressPriceMonthly: 0 })]);
    const of = { ...offer, serverTypes: [dear] };
    expect(accepted('x', undefined, 'debian-13', of).location).toBe('nbg1');
  });

  it('and leaves the offer as it is', () => {
    const before = structuredClone(offer);
    accepted('small');
    refusal('nothing');
    expect(offer).toEqual(before);
  });
});

describe('checkOrder looks where the image is', () => {
  it('and takes the cheapest location that has it', () => {
    expect(accepted('small', undefined, '77')).toMatchObject({ location: 'fsn1', image: '77', isProvenImage: false });
  });

  it('and names the locations that have it', () => {
    const { order, problems } = checkOrder(offer, { serverType: 'small', location: 'nbg1', image: '77' }, 'hetzner');
    expect(order).toMatchObject({ location: 'nbg1', image: '77', monthlyCost: 4.09 });
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['location-unavailable', "'77' is not at 'nbg1'. Use one of: fsn1."],
    ]);
    const closed = checkOrder(offer, { serverType: 'small', location: 'ash', image: '77' }, 'hetzner').problems[0];
    expect(closed?.message).toBe("'small' cannot be ordered at 'ash' at present. Use one of: fsn1.");
  });

  it('and says when the type is nowhere where the image is', () => {
    const away = { ...snapshot, locations: ['ash'] };
    const { order, problems } = checkOrder(
      { ...offer, images: [DEBIAN, away] },
      { serverType: 'small', image: '77' },
      'hetzner',
    );
    expect(order).toMatchObject({ location: null, monthlyCost: null, currency: null });
    expect(problems.map(({ code, message }) => [code, message])).toEqual([
      ['image-unsuitable', "'77' is only at ash, where 'small' cannot be ordered at present. Use one of: debian-13."],
    ]);
  });
});

describe('checkOrder tells all problems at once', () => {
  const codes = (serverType: string, where: string | undefined, image: string) =>
    checkOrder(offer, { serverType, location: where, image }, 'hetzner').problems.map(({ code }) => code);

  it.each([
    [
      ['x', 'mars', 'windows'],
      ['server-type-unknown', 'location-unknown', 'image-unknown'],
    ],
    [
      ['small', 'mars', 'windows'],
      ['location-unknown', 'image-unknown'],
    ],
    [
      ['sold-out', undefined, 'windows'],
      ['server-type-unavailable', 'image-unknown'],
    ],
    [
      ['small', 'ash', 'windows'],
      ['location-unavailable', 'image-unknown'],
    ],
    [['arm', 'fsn1', '77'], ['image-unsuitable']],
  ] as const)('of %j', ([serverType, where, image], expected) => {
    expect(codes(serverType, where, image)).toEqual(expected);
  });

  it('and what is known all the same', () => {
    expect(checkOrder(offer, { serverType: 'x', location: 'fsn1', image: 'debian-13' }, 'hetzner').order).toEqual({
      serverType: null,
      location: 'fsn1',
      image: 'debian-13',
      isProvenImage: true,
      monthlyCost: null,
      currency: null,
    });
  });
});

describe('checkOrder refuses', () => {
  const details = ({ code, message, options }: AppError) => ({
    code,
    message,
    field: options.errors?.map(({ field }) => field),
    alternatives: options.extensions?.['alternatives'],
  });

  it('an unknown type, and names the cheapest that can be ordered', () => {
    expect(details(refusal('cx999'))).toEqual({
      code: 'server-type-unknown',
      message: "hetzner has no server type 'cx999' that can still be ordered. Use one of: arm, small, middle, big.",
      field: ['serverType'],
      alternatives: ['arm', 'small', 'middle', 'big'],
    });
  });

  it('an unknown type, and names those of the location that is wanted', () => {
    expect(details(refusal('cx999', 'ash')).alternatives).toEqual(['middle']);
  });

  it('an unknown location, and names those of the type', () => {
    expect(details(refusal('small', 'mars'))).toEqual({
      code: 'location-unknown',
      message: "hetzner has no location 'mars'. Use one of: fsn1, nbg1.",
      field: ['location'],
      alternatives: ['fsn1', 'nbg1'],
    });
  });

  it.each(['ash', 'empty'])('a type that is not available at %s, and names where it is, cheapest first', (where) => {
    expect(details(refusal('small', where))).toEqual({
      code: 'location-unavailable',
      message: `'small' cannot be ordered at '${where}' at present. Use one of: nbg1, fsn1.`,
      field: ['location'],
      alternatives: ['nbg1', 'fsn1'],
    });
  });

  it.each([undefined, 'fsn1'])('a type that is sold out (location %s), and names bigger ones of its kind', (where) => {
    expect(details(refusal('sold-out', where))).toEqual({
      code: 'server-type-unavailable',
      message: "'sold-out' cannot be ordered anywhere at present. Use one of: middle, big.",
      field: ['serverType'],
      alternatives: ['middle', 'big'],
    });
  });

  it('with five alternatives at most', () => {
    const many = Array.from({ length: 9 }, (_, index) => type(`t${index}`, 4, [at('fsn1', 10 - index)]));
    expect(details(refusal('x', undefined, { ...offer, serverTypes: many })).alternatives).toEqual([
      't8',
      't7',
      't6',
      't5',
      't4',
    ]);
  });

  it('where there is no alternative, and says so', () => {
    const error = refusal('x', undefined, { ...offer, serverTypes: [] });
    expect(error.message).toMatch(/There is no alternative at present\.$/);
    expect(details(error).alternatives).toEqual([]);
  });

  it('all with a status that says that the request cannot be processed', () => {
    expect(refusal('x').options.errors).toEqual([{ field: 'serverType', message: refusal('x').message }]);
  });
});
