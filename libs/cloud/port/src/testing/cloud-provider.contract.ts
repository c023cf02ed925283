import { describeCatalogue } from './catalogue.contract';
import { ContractContext, type ContractSetup } from './contract-setup';
import { describeFinding } from './finding.contract';
import { describeFirewalls } from './firewall.contract';
import { describeImages } from './images.contract';
import { OPENAPI_DIR, OpenapiChecker } from './openapi-checker';
import { describeKeys, describeSentinel } from './sentinel.contract';
import { describeServerLife } from './server-life.contract';
import { describeTrouble } from './trouble.contract';

/** Holds an adapter to the port's contract, over HTTP, against the cloud emulator at TEST_EMULATOR_URL. */
export function describeCloudProviderContract(name: string, setup: ContractSetup): void {
  describe(`${name}: the contract of a CloudProvider`, () => {
    const context = new ContractContext(setup);
    describeCatalogue(context);
    describeImages(context);
    describeServerLife(context);
    describeFinding(context);
    describeSentinel(context);
    describeKeys(context);
    describeFirewalls(context);
    describeTrouble(context);
    // The last one: it is about the traffic of all before.
    describeTraffic(context);
  });
}

function describeTraffic(context: ContractContext): void {
  const { openapi } = context.setup;
  const checker = OpenapiChecker.load(openapi);
  if (!checker) {
    it.skip(`traffic fits the published description (SKIPPED: there is no ${openapi.file} in ${OPENAPI_DIR})`, () => {});
    return;
  }
  it(`traffic fits ${openapi.file}, but for: ${openapi.differences.map(({ why }) => why).join('; ') || 'nothing'}`, () => {
    expect(context.proxy.exchanges.length).toBeGreaterThan(0);
    const problems = context.proxy.exchanges.flatMap((exchange) => checker.check(exchange));
    expect([...new Set(problems)]).toEqual([]);
  });
}
