// Of each kind of cause: what it is in one line, and what to look at next. Pure.
import type { Finding, RunRecord } from '../model.ts';
import { isPast, type Kind } from './kinds.ts';
import { list } from './words.ts';

/** `joi -> internet tcp/443 is open`; `cells` are all that have this cause. */
export function titleOf(kind: Kind, cells: readonly Finding[]): string {
  const froms = list(cells.map(({ flow }) => flow.from), 6);
  const past = 'past' in kind && kind.past ? ` to who takes ${froms} over` : '';
  switch (kind.is) {
    case 'waived':
      return `${kind.waiver.cells}: waived until ${kind.waiver.until} by ${kind.waiver.acceptedBy}: ${kind.waiver.reason}`;
    case 'stopped':
      return 'the run ended before its time';
    case 'not entered':
      return `${kind.host} could not be entered`;
    case 'forwards':
      return `${kind.by} forwards what others send by it (from ${froms})`;
    case 'open over IPv6':
      return `${kind.to} lets in over IPv6${past} what it stops over IPv4 (from ${froms})`;
    case 'open machine':
      if (kind.port !== null) return `${froms} -> ${kind.to} ${kind.port} is open${past}`;
      return kind.from === null ? `${kind.to} lets everything in${past} (from ${froms})` : `${kind.to} lets everything in${past} from ${kind.from}`;
    case 'way out':
      return `${kind.from} -> internet ${kind.port ?? 'at any port'} is open${past}`;
    case 'taken for replies':
      return `${kind.from ?? froms} -> ${kind.to} is open${past} to whatever is sent from ${kind.port}`;
    case 'session':
      return `a connection of ${kind.from} outlived the rule that let it through`;
    case 'silent machine':
      return `${kind.to} answers nobody (asked by ${froms})`;
    case 'row':
      return `row "${kind.row}" does not work (from ${froms})`;
    case 'untold':
      return `from ${kind.from}: ${kind.why}`;
    default:
      return kind satisfies never;
  }
}

export function nextOf(kind: Kind, cells: readonly Finding[], { run }: RunRecord): string {
  const [first] = cells;
  const from = first?.flow.from ?? '';
  const via = routersOf(cells, run);
  const forward = via.length === 0 ? '' : `${via.map((router) => `${router}'s forward chain`).join(' and ')}`;
  const past = cells.every(isPast);
  switch (kind.is) {
    case 'waived':
      return `mend it before ${kind.waiver.until}: from the day after on it fails again`;
    case 'stopped':
      return run.stopped ?? 'run again';
    case 'not entered':
      return `mend the way in, then run again: ${run.hosts.find(({ name }) => name === kind.host)?.failure?.cause ?? ''}`;
    case 'forwards':
      return isRouter(kind.by, run)
        ? `look at ${kind.by}'s forward chain: it is to forward for some, and not from ${list(cells.map(({ flow }) => flow.from))}`
        : `set net.ipv4.ip_forward=0 and net.ipv6.conf.all.forwarding=0 on ${kind.by}, or drop in its forward chain`;
    case 'open over IPv6':
      return `look whether ${kind.to}'s rules stand in a table of family inet (ip filters IPv4 alone): nft list ruleset there`;
    case 'open machine':
      return `look at ${[forward, `${kind.to}'s input chain`].filter((text) => text !== '').join(' and ')}${past ? '' : `, then at ${list(cells.map(({ flow }) => flow.from), 6)}'s output chain`}`;
    case 'way out': {
      const own = past ? null : `${kind.from}'s output chain`;
      return `look at ${[forward === '' ? null : forward, own].filter((text) => text !== null).join(' and ') || 'the router behind it'}`;
    }
    case 'taken for replies':
      return `look for a rule that accepts source port ${kind.port} without connection tracking; ct state established,related is for replies`;
    case 'session':
      return 'end it: conntrack -D there, or restart what holds it';
    case 'silent machine':
      return `look whether ${kind.to} runs and holds its addresses, then at its input chain and its services`;
    case 'row':
      return nextOfRow(first, forward);
    case 'untold':
      return /prohibit|witness|connection tracking|record/.test(kind.why) ? 'let the witness record (a ct rule, root for the prober), then run again' : `let something there answer, or a witness see it (python3 and root on ${list(cells.map(({ flow }) => flow.to), 3)}); from ${from}, see the cell's controls in evidence.json`;
    default:
      return kind satisfies never;
  }
}

function nextOfRow(finding: Finding | undefined, forward: string): string {
  if (finding === undefined) return '';
  const { flow, observation, verdict } = finding;
  if (observation.outcome.seen === 'garbled') return `look at what listens on ${flow.to} ${flow.transport}/${flow.port}: it is not ${flow.protocol}`;
  if (verdict.reason.startsWith('no service')) return `look whether the service listens on ${flow.to} ${flow.transport}/${flow.port} (ss -lnp), then at ${flow.to}'s output chain for the reply`;
  if (observation.outcome.seen === 'barred' || verdict.reason.startsWith('blocked: at the source')) return `look at ${flow.from}'s output chain`;
  return `look at ${[`${flow.from}'s output chain`, ...(forward === '' ? [] : [forward]), `${flow.to}'s input chain and the service there`].join(', then at ')}`;
}

/** Whether another machine of ours goes out by it. */
function isRouter(name: string, { hosts }: RunRecord['run']): boolean {
  const own = new Set(hosts.find((host) => host.name === name)?.facts?.addresses.map(({ address }) => address));
  return hosts.some(({ facts }) => facts?.routes.some(({ via }) => via !== undefined && own.has(via)));
}

/** Machines of ours that the cells' routes lead through, by the addresses that these say they hold. */
function routersOf(cells: readonly Finding[], { hosts }: RunRecord['run']): readonly string[] {
  const vias = new Set(cells.flatMap(({ flow }) => flow.route?.via ?? []));
  return hosts.filter(({ facts }) => facts?.addresses.some(({ address }) => vias.has(address))).map(({ name }) => name);
}
