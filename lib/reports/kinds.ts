// What is at the bottom of a finding that is not a pass: one open firewall is one kind, however many cells show it. Pure.
import type { Finding, RunRecord, Waiver } from '../model.ts';

/** `past`: only past the source's own firewall, as root on it would go · `port`: as `tcp/443`, null for nearly all of them. */
export type Kind = Readonly<
  | { is: 'waived'; waiver: Waiver }
  | { is: 'stopped' }
  | { is: 'not entered'; host: string }
  | { is: 'forwards'; by: string }
  | { is: 'open over IPv6'; to: string; past: boolean }
  | { is: 'open machine'; to: string; from: string | null; port: string | null; past: boolean }
  | { is: 'way out'; from: string; port: string | null; past: boolean }
  | { is: 'taken for replies'; to: string; from: string | null; port: string; past: boolean }
  | { is: 'session'; from: string }
  | { is: 'silent machine'; to: string }
  | { is: 'row'; row: string }
  | { is: 'untold'; from: string; why: string }>;

/** From this share on of the cells that could arrive, a firewall is open at large rather than at single ports. */
const nearlyAll = 0.8;
/** Fewer cells and fewer ports than these say nothing of a firewall as a whole. */
const enough = { cells: 5, ports: 3 } as const;

/** A function from a finding to its kind; what is asked of all findings is worked out once. */
export function kindsOf({ run, findings }: RunRecord): (finding: Finding) => Kind {
  const machines = new Set(run.hosts.map(({ name }) => name));
  const failed = notEntered(run.hosts);
  const denied = findings.filter(({ flow }) => flow.expected === 'denied' && flow.sourcePort === undefined && flow.by === undefined && flow.family !== 'surviving session');
  const share = shares(denied);
  const hole = (finding: Finding): string => `${finding.flow.from} ${finding.flow.to} ${portOf(finding)}`;
  const holes = new Set(denied.filter(({ verdict }) => verdict.result === 'fail').map(hole));
  const answering = new Set(findings.filter(({ flow, verdict }) => flow.expected === 'allowed' && verdict.result === 'pass').map(({ flow }) => flow.to));
  const asked = new Map<string, number>();
  for (const { flow } of findings) if (flow.expected === 'allowed') asked.set(flow.to, (asked.get(flow.to) ?? 0) + 1);

  const reached = (finding: Finding): Kind => {
    const { flow } = finding;
    const past = isPast(finding);
    const port = portOf(finding);
    if (flow.family === 'surviving session') return { is: 'session', from: flow.from };
    if (flow.by !== undefined) return { is: 'forwards', by: flow.by };
    const outside = !machines.has(flow.to);
    if (outside && share(finding, 'out') >= nearlyAll) return { is: 'way out', from: flow.from, port: null, past };
    if (!outside && share(finding, 'into IPv6') >= nearlyAll && share(finding, 'into IPv4') < 1 - nearlyAll) return { is: 'open over IPv6', to: flow.to, past };
    if (!outside && share(finding, 'into') >= nearlyAll) return { is: 'open machine', to: flow.to, from: null, port: null, past };
    if (!outside && share(finding, 'pair') >= nearlyAll) return { is: 'open machine', to: flow.to, from: flow.from, port: null, past };
    // Where the port is open to any source port, that is the cause.
    if (flow.sourcePort !== undefined && !holes.has(hole(finding))) return { is: 'taken for replies', to: outside ? 'internet' : flow.to, from: outside ? flow.from : null, port: `${flow.transport}/${flow.sourcePort}`, past };
    return outside ? { is: 'way out', from: flow.from, port, past } : { is: 'open machine', to: flow.to, from: null, port, past };
  };
  return (finding) => {
    const { flow, verdict, waiver, observation } = finding;
    if (waiver !== null) return { is: 'waived', waiver };
    if (verdict.result === 'inconclusive') {
      if (run.stopped !== null) return { is: 'stopped' };
      const host = failed.get(flow.from) ?? failed.get(flow.to);
      return host === undefined ? { is: 'untold', from: flow.from, why: whyUntold(finding) } : { is: 'not entered', host };
    }
    if (flow.expected === 'denied') return reached(finding);
    return machines.has(flow.to) && (asked.get(flow.to) ?? 0) > 1 && !answering.has(flow.to) && observation.outcome.seen !== 'answered' ? { is: 'silent machine', to: flow.to } : { is: 'row', row: flow.row };
  };
}

/** By host: the one that kept us out. Where the way in is by a host that we could not enter, its cause is in the others'. */
function notEntered(hosts: RunRecord['run']['hosts']): ReadonlyMap<string, string> {
  const failed = hosts.flatMap(({ name, failure }) => (failure === null ? [] : [{ name, cause: failure.cause }]));
  return new Map(failed.map(({ name, cause }) => [name, failed.find((other) => cause.includes(`by ${other.name}: `))?.name ?? name]));
}

/** Its own firewall holds, and the others do not (judge.ts, judgeConfined). */
export const isPast = ({ verdict, walls }: Finding): boolean => verdict.result === 'fail' && walls?.far.stands === false && verdict.reason.startsWith('open to who takes the machine over');

export const isIPv6 = ({ flow }: Finding): boolean => flow.address?.includes(':') === true;

function portOf({ flow }: Finding): string {
  return `${flow.transport}/${flow.transport === 'icmp' ? 'echo' : flow.port}`;
}

type Scope = 'out' | 'into' | 'into IPv6' | 'into IPv4' | 'pair';

/** Of the cells in a scope that the source's own firewall (or its lack of a route) did not stop: the share that got through. */
function shares(denied: readonly Finding[]): (finding: Finding, scope: Scope) => number {
  const counted = new Map<string, { failed: number; all: number; ports: Set<string> }>();
  const keys = (finding: Finding, past: boolean): readonly string[] => {
    const { from, to } = finding.flow;
    return [`out ${from}`, `into ${to}`, `into ${isIPv6(finding) ? 'IPv6' : 'IPv4'} ${to}`, `pair ${from} ${to}`].map((key) => `${key} ${past}`);
  };
  const machines = new Set(denied.map(({ flow }) => flow.from));
  for (const finding of denied) {
    const past = isPast(finding);
    const failed = finding.verdict.result === 'fail';
    const counts = [...(failed || arrives(finding) ? [false] : []), ...(past || (finding.walls !== null && finding.walls.far.stands !== null) ? [true] : [])];
    for (const side of counts)
      for (const key of keys(finding, side)) {
        if (key.startsWith('out') && machines.has(finding.flow.to)) continue;
        const sum = counted.get(key) ?? { failed: 0, all: 0, ports: new Set() };
        sum.all += 1;
        if (failed && side === past) {
          sum.failed += 1;
          sum.ports.add(portOf(finding));
        }
        counted.set(key, sum);
      }
  }
  return (finding, scope) => {
    const { from, to } = finding.flow;
    const sum = counted.get(`${scope === 'out' ? `out ${from}` : scope === 'pair' ? `pair ${from} ${to}` : `${scope} ${to}`} ${isPast(finding)}`);
    return sum === undefined || sum.all < enough.cells || sum.ports.size < enough.ports ? 0 : sum.failed / sum.all;
  };
}

/** Nothing at the source kept it from leaving. */
function arrives({ observation, backing, verdict }: Finding): boolean {
  const { seen } = observation.outcome;
  if (verdict.result === 'inconclusive' || ['barred', 'absent', 'unrouted', 'no path', 'unprobed'].includes(seen) || backing.near?.held === true) return false;
  return backing.left === null || backing.left.saw !== null || !backing.left.before.held;
}

/** The reason without the ids that differ from cell to cell. */
function whyUntold({ verdict }: Finding): string {
  return verdict.reason.replace(/\S+ [-=]> .*$/, 'controls').trim();
}
