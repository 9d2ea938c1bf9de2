// Connections that live on although no row allows them any more: a firewall lets them through by `ct state established`
// without asking its rules again. Pure.
import { isIPv4 } from 'node:net';
import { canonical, sameAddress } from './address.ts';
import { isLive, parseEntries, type Entry } from './conntrack.ts';
import type { Tracked } from './backing.ts';
import { factsOf, isFailure, routeTo } from './facts.ts';
import type { Discovery, Flow, Inventory, Outcome, Phase, Plan } from './model.ts';
import { holds } from './rows.ts';

type Seen = Readonly<{ inventory: Inventory; discovery: Discovery; phase: Phase; plan: Plan; tracked: ReadonlyMap<string, Tracked> }>;

/**
 * @param hosts whose tables are asked: the source's own, which it would own if it were taken over, and its router's
 * @returns answered: one lives · absent: none does, and every table was read · unprobed: one could not be read
 */
export function readSessions({ from }: Flow, hosts: readonly string[], seen: Seen): Outcome {
  const unprobed = (cause: string): Outcome => ({ seen: 'unprobed', failure: { operation: 'facts', cause } });
  const facts = factsOf(seen.discovery, from);
  if (isFailure(facts)) return { seen: 'unprobed', failure: facts };
  const own = new Set(facts.addresses.map(({ address }) => canonical(address)));
  const inside = new Set(Object.entries(seen.inventory.matrix.networks).flatMap(([name, { kind }]) => (kind === 'local' ? [name] : [])));
  const unread: string[] = [];
  for (const host of hosts) {
    const tracked = seen.tracked.get(host);
    if (tracked?.ipv4.before.held !== true) unread.push(`${host}: ${tracked?.ipv4.before.detail ?? 'its connection tracking was not read'}`);
    const surviving = tracked === undefined ? undefined : parseEntries(tracked.first).find((entry) =>
      own.has(entry.source) && !own.has(entry.destination) && !isGroup(entry.destination) && isLive(entry) && !inside.has(routeTo(facts, entry.destination)?.interface ?? '') && !isAllowed(seen, from, entry));
    if (surviving !== undefined)
      return { seen: 'answered', rttMs: null, detail: `a connection lives on that no row allows; end it there (conntrack -D) or restart what holds it. ${host}: ${surviving.line}` };
  }
  if (unread.length > 0) return unprobed(`whether an old connection lives on could not be told: ${unread.join('; ')}`);
  return { seen: 'absent', detail: `no connection lives on that no row allows, says the connection tracking of ${hosts.join(' and ')}` };
}

/** Multicast and broadcast go no further than the link. */
function isGroup(address: string): boolean {
  return isIPv4(address) ? address === '255.255.255.255' || /^(22[4-9]|23\d)\./.test(address) : address.startsWith('ff');
}

function isAllowed({ inventory, phase, plan }: Seen, from: string, { transport, destination, port }: Entry): boolean {
  const listed = plan.flows.some(({ flow }) => flow.from === from && flow.expected === 'allowed' && flow.transport === transport && flow.port === port && flow.address !== null && sameAddress(flow.address, destination));
  return listed || inventory.matrix.flows.some((row) => row.from === from && row.to === 'any' && holds(row, phase) && row.transport === transport && row.ports.includes(port ?? 0));
}
