import { CloudError } from './cloud-error';
import { operationName, silenceOf } from './request-words';

describe('operationName', () => {
  it.each([
    ['/servers', 'GET /servers'],
    ['/servers/1234', 'GET /servers/{id}'],
    ['/servers/1234/actions/5', 'GET /servers/{id}/actions/{id}'],
    ['/account/keys/3b:16:bf:e4', 'GET /account/keys/{id}'],
    ['/account/keys/{key}', 'GET /account/keys/{key}'],
    ['/v2/sizes', 'GET /v2/sizes'],
  ])('leaves ids out of %s', (path, name) => expect(operationName('GET', path)).toBe(name));
});

describe('silenceOf', () => {
  it.each([
    ['outcome-unknown', 'ETIMEDOUT', 'outcome-unknown'],
    ['unavailable', 'ETIMEDOUT', 'timeout'],
    ['unavailable', 'ECONNREFUSED', 'no-answer'],
    ['unavailable', undefined, 'no-answer'],
  ] as const)('%s by %s is %s', (kind, providerCode, silence) => {
    expect(silenceOf(new CloudError(kind, 'no answer', { providerCode }))).toBe(silence);
  });
});
