// What a run's record says of each host, and the reading of its configuration while it is looked from.
import pLimit from 'p-limit';
import { parseConfiguration } from './configuration.ts';
import type { Entered } from './enter.ts';
import { isFailure } from './facts.ts';
import type { Configuration, Failure, HostRecord } from './model.ts';

/** Each lists its rules twice, in hundreds of kilobytes: of a hundred hosts at once they would be most of what the run holds. */
const readsAtOnce = 4;

/** In the order in which they were entered. */
export function readHosts(entered: readonly Entered[]): Promise<readonly HostRecord[]> {
  const limit = pLimit(readsAtOnce);
  return Promise.all(entered.map(async (one) => hostRecord(one, await limit(() => configurationOf(one)))));
}

/** Of the hosts of the inventory; the operator's seat and the beacons are no part of the site. */
async function configurationOf({ host, vantage, session, beacon }: Entered): Promise<Configuration | Failure | null> {
  if (vantage === null || session === null || beacon !== null) return null;
  const answer = await vantage.configuration();
  return isFailure(answer) ? { ...answer, cause: `${host}: ${answer.cause}` } : parseConfiguration(answer.told.configuration ?? '');
}

function hostRecord({ host, vantage, session, facts }: Entered, configuration: HostRecord['configuration']): HostRecord {
  return {
    name: host,
    prober: vantage === null ? null : `${vantage.kind}${vantage.root ? ' as root' : ''}`,
    hostKey: session?.hostKey ?? null,
    failure: isFailure(facts) ? facts : null,
    facts: isFailure(facts) ? null : facts,
    configuration,
  };
}
