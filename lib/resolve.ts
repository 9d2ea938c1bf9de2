// The names of external targets, asked from the vantages that may resolve; their addresses then serve the others too.
import { isFailure } from './facts.ts';
import type { Discovery, Failure, Inventory, Phase } from './model.ts';
import { encodeQuery, readAddresses } from './protocols/dns.ts';
import { holds } from './rows.ts';
import type { Vantage } from './vantage.ts';

/** Of one name, by each asker: every vantage goes to all of them, and whoever answers may name anybody. */
const mostAddresses = 16;

/**
 * @param vantages by host
 * @returns addresses by name, sorted; a failure where no vantage got an answer
 */
export async function resolveNames(
  { inventory, phase, newToken }: Readonly<{ inventory: Inventory; phase: Phase; newToken: () => string }>,
  hosts: Discovery['hosts'],
  vantages: ReadonlyMap<string, Vantage>,
): Promise<Discovery['names']> {
  const names = [...new Set(Object.values(inventory.site.targets).flatMap((target) => target.names ?? []))];
  const askers = inventory.matrix.flows
    .filter((row) => row.speaks === 'dns' && row.transport === 'udp' && holds(row, phase))
    .flatMap((row) => {
      const facts = hosts[row.from];
      const vantage = vantages.get(row.from);
      const resolver = facts === undefined || isFailure(facts) ? undefined : facts.resolvers.find((address) => !address.startsWith('127.'));
      return vantage === undefined || resolver === undefined ? [] : [{ host: row.from, vantage, resolver }];
    });
  const ask = async (name: string): Promise<readonly string[] | Failure> => {
    const answers = await Promise.all(askers.map(async ({ vantage, resolver }) => {
      const token = newToken();
      const exchange = { ...inventory.site.timing.allowed, transport: 'udp' as const, address: resolver, port: 53, sourcePort: 0, send: encodeQuery(token, name).toString('hex') };
      const { replies } = await vantage.exchange(exchange);
      return replies.flatMap((reply) => (reply.event === 'data' ? (readAddresses(Buffer.from(reply.hex, 'hex'), token) ?? []) : [])).slice(0, mostAddresses);
    }));
    const addresses = [...new Set(answers.flat())].toSorted();
    if (addresses.length > 0) return addresses;
    const tried = askers.map(({ host, resolver }) => `${host} asked ${resolver}`).join(', ') || 'no vantage may resolve';
    return { operation: 'resolve', cause: `${name} has no address: ${tried}` };
  };
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await ask(name)] as const)));
}
