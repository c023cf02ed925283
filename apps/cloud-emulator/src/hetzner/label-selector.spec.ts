import { HetznerRefusalError } from './hetzner-refusal.error';
import { matchesSelector } from './label-selector';

const labels = { env: 'prod', 'example.com/owner': 'a-1', empty: '' };

describe('matchesSelector', () => {
  it.each([
    'env',
    'env=prod',
    'env==prod',
    ' env = prod ',
    'env!=test',
    'other!=test',
    '!other',
    'empty',
    'empty=',
    'env in (test, prod)',
    'env in (prod)',
    'env notin (test,dev)',
    'other notin (prod)',
    'example.com/owner=a-1',
    'env=prod,example.com/owner=a-1',
    'env in (test,prod),!other, empty',
  ])('fits: %j', (selector) => expect(matchesSelector(labels, selector)).toBe(true));

  it.each([
    'other',
    'env=test',
    'env=pro',
    'env=PROD',
    'env!=prod',
    '!env',
    'other=prod',
    'other=',
    'env in (test,dev)',
    'other in (prod)',
    'env notin (prod,test)',
    'env=prod,other',
    'env=test,example.com/owner=a-1',
    'constructor',
  ])('does not fit: %j', (selector) => expect(matchesSelector(labels, selector)).toBe(false));

  it.each(['', ',', 'env=prod,', 'env=a b', 'env in prod', 'env in (a', '=prod', 'env>1', 'env=a=b'])(
    'refuses %j',
    (selector) => expect(() => matchesSelector(labels, selector)).toThrow(HetznerRefusalError),
  );
});
