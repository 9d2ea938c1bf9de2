// The assessor's part of report.html: what was tested, how, by whom, and what this run supports and what it does not. Pure.
import { isFailure } from '../../facts.ts';
import type { HostRecord, RunRecord } from '../../model.ts';
import { clockLine, familiesLine, lossLine, sumsOf, windowsLine } from '../summary.ts';
import { takeoverLines } from '../takeover.ts';
import { waiverLines } from '../waivers.ts';
import { listOf, table } from './text.ts';

/** Ours to say, in our words: a run is evidence for an assessor, never a finding of compliance. */
const supports: readonly (readonly string[])[] = [
  ['PCI DSS 11.4.5 (testing of segmentation)', 'That the segmentation in scope was tried from each vantage named here, on this day, and what each try showed.',
    'Whether the scope is right, whether the tester is independent, and whether it is done often enough; nothing of networks, ports or protocols that are not listed.'],
  ['NIST SP 800-53 SC-7(5) (deny by default, allow by exception)', 'That what the matrix lists works and each cell tested beside it is blocked, with what proves it.',
    'That the rules themselves deny by default, that they are those of the next boot, or that an allowed flow (a resolver, a proxy) carries nothing else.'],
];

/** Sections of HTML, in the order in which an assessor asks. */
export function assessorPart(record: RunRecord): string {
  const { run, findings } = record;
  const sums = sumsOf(record);
  const waived = findings.filter(({ waiver }) => waiver !== null);
  return [
    table('Run', ['What', 'Value'], [
      ['Run', run.id], ['Phase', run.phase], ['Who', run.operator], ['Began', run.startedAt], ['Ended', run.endedAt], ['Inventory, SHA-256', run.inventoryHash], ['Matrix, SHA-256', run.matrixHash ?? 'none'],
      ['flowproof', run.version], ['Node', run.node], ['Cells selected', run.selection ?? 'all'], ['Stopped early', run.stopped ?? 'no'],
    ]),
    '<p>Method: each vantage was entered by SSH and sent real packets for each cell; "blocked" counts only with the proof that stands beside it.</p>',
    table('What was shown', ['How', 'Cells'], [
      ['Proven', String(sums.proven)], ['Inferred', String(sums.inferred)], ['No path (nothing was sent)', String(sums.noPath)],
      ['Failed', String(sums.fail)], ['Could not be told', String(sums.inconclusive)], ['Waived', String(sums.waived)], ['Not looked at', String(run.gaps.reduce((sum, { cells }) => sum + cells, 0))], ['In scope', String(run.universe)],
    ]),
    table('Vantages', ['Host', 'Prober', 'Kernel', 'Host key', 'Not entered because'], run.hosts.map(({ name, prober, facts, hostKey, failure }) => [name, prober ?? 'none', facts?.kernel ?? 'unknown', hostKey ?? 'none', failure?.cause ?? ''])),
    table('Configuration', ['Host', 'Forwards', 'IPv6', 'Addresses', 'Rules, SHA-256', 'Boot loads the same', 'Nebula certificates'], run.hosts.flatMap(configurationRow)),
    table('Not looked at', ['Reason', 'Cells', 'Example'], run.gaps.map(({ reason, cells, example }) => [reason, String(cells), example])),
    table('Waived', ['Cell', 'Reason', 'Accepted by', 'Until'], waived.map(({ flow, waiver }) => [flow.id, waiver?.reason ?? '', waiver?.acceptedBy ?? '', waiver?.until ?? ''])),
    wallsTable(record),
    listOf([...takeoverLines(record), ...waiverLines(record), ...lossLine(record), ...windowsLine(record), clockLine(record), familiesLine(record), ...run.warnings]),
    table('What this run supports, as examples', ['Requirement', 'Supports', 'Does not show'], supports),
  ].join('\n');
}

function configurationRow({ name, facts, configuration }: HostRecord): readonly (readonly string[])[] {
  if (configuration === null) return [];
  if (isFailure(configuration)) return [[name, ...['', '', '', '', ''].map(() => 'not told'), configuration.cause]];
  const { sysctls, rules, boot, certificates } = configuration;
  const is = (sysctl: string): boolean => sysctls.some((one) => one.name === sysctl && one.value === '1');
  const forwards = [['IPv4', 'ipv4/ip_forward'], ['IPv6', 'ipv6/conf/all/forwarding']].flatMap(([family = '', sysctl = '']) => (is(sysctl) ? [family] : []));
  const off = sysctls.filter(({ name: sysctl, value }) => sysctl.endsWith('/disable_ipv6') && value === '1').map(({ name: sysctl }) => sysctl.split('/')[2] ?? '');
  return [[
    name, forwards.join(', ') || 'nothing', off.length === 0 ? 'on' : `off: ${off.join(', ')}`, facts?.addresses.filter(({ scope }) => scope !== 'host').map(({ address, prefix }) => `${address}/${prefix}`).join(', ') ?? 'not told',
    rules ?? 'not readable', `${boot.is}: ${boot.detail}`, certificates.map(({ file, name: of, notAfter }) => `${of} (${file}) until ${notAfter?.slice(0, 10) ?? 'not told'}`).join(', ') || 'none',
  ]];
}

/** Of the denied cells from each vantage: which of the two firewalls was seen to stop them by itself. */
function wallsTable({ run, findings }: RunRecord): string {
  const rows = run.hosts.flatMap(({ name }) => {
    const walls = findings.flatMap((finding) => (finding.flow.from === name && finding.walls !== null ? [finding.walls] : []));
    const count = (wall: 'near' | 'far', stands: boolean | null): string => String(walls.filter((both) => both[wall].stands === stands).length);
    return walls.length === 0 ? [] : [[name, ...(['near', 'far'] as const).flatMap((wall) => [count(wall, true), count(wall, false), count(wall, null)])]];
  });
  return table('Walls: denied cells that each firewall stops by itself', ['From', 'Own: stands', 'open', 'not told', 'Others: stand', 'open', 'not told'], rows);
}
