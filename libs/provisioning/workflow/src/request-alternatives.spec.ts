import { OFFER_AGE } from './catalogue/catalogue-memory';
import { PreviewService } from './preview.service';
import type { ProvisionRequest } from './provision-request';
import { RequestCheckService } from './request-check.service';
import { DEBIAN, FakeCloudProvider } from './testing/fake-cloud-provider';
import { caller, passTime, place, requestChecks, sound, type } from './testing/request-checks';

describe('requests with alternatives', () => {
  let provider: FakeCloudProvider;
  let requests: RequestCheckService;
  let previews: PreviewService;

  beforeEach(() => {
    ({ provider, requests, previews } = requestChecks());
  });

  const preview = (fallback: ProvisionRequest['fallback'], changes: Partial<ProvisionRequest> = {}) =>
    previews.preview({ ...sound, ...changes, fallback }, caller);
  const arm = { serverType: 'cax11', location: 'fsn1' };

  beforeEach(() => {
    provider.serverTypes.push(type('cx33', 'x86', place('fsn1'), place('nbg1')));
    provider.images.push({ ...DEBIAN, id: '3', architecture: 'arm' });
  });

  it('shows each with its price, and saves them beside what was asked for first', async () => {
    const wanted = [{ serverType: 'cx33', location: 'fsn1' }, arm];
    const price = { monthlyCost: 4.5, currency: 'EUR' };
    const found = wanted.map((choice) => ({ ...choice, ...price }));
    expect(await preview(wanted)).toMatchObject({ problems: [], location: 'nbg1', fallback: found });
    const { reference } = await requests.accepted({ ...sound, fallback: wanted }, caller);
    expect(reference).toMatchObject({ serverType: 'cx23', location: 'nbg1' });
    expect(reference.configuration).toMatchObject({
      fallback: found,
      firstChoice: { serverType: 'cx23', location: 'nbg1', ...price },
    });
  });

  it('names the entry and its field in each problem', async () => {
    const wanted = [
      { serverType: 'x', location: 'nbg1' },
      { serverType: 'sold-out', location: 'fsn1' },
      { serverType: 'cx33', location: 'mars' },
    ];
    const { problems, fallback } = await preview(wanted, { serverType: 'sold-out' });
    expect(problems.map(({ field, code }) => `${field} ${code}`)).toEqual([
      'serverType server-type-unavailable',
      'fallback[0].serverType server-type-unknown',
      'fallback[1].serverType server-type-unavailable',
      'fallback[2].location location-unknown',
    ]);
    expect(problems[0]?.alternatives).toContain('cx33');
    expect(fallback[1]).toMatchObject({ serverType: 'sold-out', monthlyCost: null });
    await expect(requests.accepted({ ...sound, fallback: wanted }, caller)).rejects.toMatchObject({
      code: 'server-type-unknown',
    });
  });

  it('passes over what is full at present, the order itself included', async () => {
    const full = { serverType: 'sold-out', location: 'fsn1' };
    const room = { serverType: 'cx33', location: 'fsn1' };
    expect(await preview([full, room])).toMatchObject({ problems: [], fallback: [room], serverType: 'cx23' });
    const instead = await preview([full, room, { serverType: 'cx23', location: 'nbg1' }], full);
    expect(instead).toMatchObject({ ...room, problems: [], monthlyCost: 4.5 });
    expect(instead.fallback).toMatchObject([{ serverType: 'cx23', location: 'nbg1' }]);
    const { reference } = await requests.accepted({ ...sound, ...full, fallback: [room] }, caller);
    expect(reference).toMatchObject({ ...room, monthlyCost: 4.5 });
    const mistaken = await preview([{ serverType: 'x', location: 'nbg1' }], full);
    expect(mistaken.problems.map(({ field }) => field)).toEqual(['serverType', 'fallback[0].serverType']);
  });

  it('checks the one image against each type', async () => {
    // By its number it is the image of one architecture.
    const { problems } = await preview([{ serverType: 'cx33', location: 'fsn1' }, arm], { image: '1' });
    expect(problems).toMatchObject([{ field: 'fallback[1].serverType', code: 'image-unsuitable' }]);
    provider.images.splice(0, provider.images.length, { ...DEBIAN, minDisk: 60 });
    provider.serverTypes = provider.serverTypes.map((each) => (each.id === 'cx23' ? { ...each, disk: 80 } : each));
    passTime(OFFER_AGE.behindMs);
    const small = await preview([{ serverType: 'cx33', location: 'fsn1' }]);
    expect(small.problems).toMatchObject([{ field: 'fallback[0].serverType', code: 'image-unsuitable' }]);
  });

  it('says of an image that there is none once', async () => {
    const { problems } = await preview([{ serverType: 'cx33', location: 'fsn1' }], { image: 'windows' });
    expect(problems.map(({ field }) => field)).toEqual(['image']);
  });

  it('leaves out what the order found for itself', async () => {
    const wanted = [
      { serverType: 'cx23', location: 'nbg1' },
      { serverType: 'cx33', location: 'fsn1' },
    ];
    const { fallback, location, problems } = await preview(wanted);
    expect([location, problems, fallback.map((each) => each.serverType)]).toEqual(['nbg1', [], ['cx33']]);
    const { reference } = await requests.accepted({ ...sound, fallback: wanted.slice(0, 1) }, caller);
    expect(reference.configuration).not.toHaveProperty('fallback');
  });
});
