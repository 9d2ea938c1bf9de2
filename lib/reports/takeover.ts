// The question that the owner asks first: what could a machine reach, if somebody took it over as root? Pure.
import type { Finding, RunRecord } from '../model.ts';
import { grouped } from '../grouped.ts';

/** Named of the flows that are open. */
const named = 5;

/** One sentence for each host that was looked at past its own firewall, and for each confined one that could not be. */
export function takeoverLines({ run, findings }: RunRecord): readonly string[] {
  const bySource = grouped(findings, ({ flow }) => flow.from);
  const of = (host: string): readonly Finding[] => bySource.get(host) ?? [];
  // Of a part of the run nothing is said of hosts that it leaves out.
  const hosts = run.hosts.map(({ name }) => name).filter((name) => run.selection === null || bySource.has(name)).filter((name) => run.confined.includes(name) || of(name).some(({ walls }) => walls?.far.observation));
  return hosts.map((host) => {
    const asked = of(host).filter(({ flow, walls }) => flow.expected === 'denied' && walls !== null && walls.far.observation !== null);
    const others = of(host).filter(({ flow }) => flow.family === 'another way');
    if (asked.length === 0) return `if ${host} is taken over as root: not told, since nothing was sent past its own firewall (that needs python3 and root there)`;
    const open = [...asked.filter(({ walls }) => walls?.far.stands === false), ...others.filter(({ verdict }) => verdict.result === 'fail')];
    const untold = [...asked.filter(({ walls }) => walls?.far.stands === null), ...others.filter(({ verdict }) => verdict.result === 'inconclusive')];
    const total = asked.length + others.length;
    const what = open.length === 0 ? (untold.length === total ? 'not told' : 'nothing that is denied') : `${open.length} denied flows: ${list(open)}`;
    const near = asked.filter(({ walls }) => walls?.near.stands === false);
    return `if ${host} is taken over as root, it can reach: ${what} (of ${total} looked at past its own firewall, others stop ${total - open.length - untold.length}, ${untold.length} could not be told; ` +
      `its own firewall lets ${near.length} of them out)`;
  });
}

function list(findings: readonly Finding[]): string {
  const ids = findings.slice(0, named).map(({ flow }) => flow.id.replace(`${flow.from} -> `, ''));
  return findings.length > named ? `${ids.join(', ')}, …` : ids.join(', ');
}
