// RunRecord -> what the operator reads at the terminal. Pure; plain text.
import type { Finding, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';
import { waiverLines } from './waivers.ts';

/** Shown of one cause; the rest is in the reports. */
const shownOfACause = 5;

/** The matrix as counts, then what is wrong, then the sums. */
export function renderConsole(record: RunRecord): string {
  const { run, findings } = record;
  const wrong = findings.filter(({ verdict, waiver }) => verdict.result !== 'pass' && waiver === null);
  return [
    ...run.warnings.map((warning) => `warning: ${warning}`),
    ...(run.stopped === null ? [] : [`stopped: ${run.stopped}`, '']),
    ...grid(findings),
    '',
    ...run.hosts.flatMap(({ name, failure }) => (failure === null || run.stopped !== null ? [] : [`no look from ${name}: ${failure.cause}`])),
    ...run.hosts.flatMap(({ name, prober }) => (prober === null || prober.endsWith(' as root') || name === 'operator' ? [] : [`no root on ${name}: ${withoutRoot}`])),
    ...causes(wrong),
    ...waiverLines(record),
    ...takeoverLines(record),
    ...lossLine(record),
    `cells by family: ${families(findings)}`,
    ...run.gaps.map(({ reason, cells, example }) => `not tested: ${cells} cells, as ${example}: ${reason}`),
    `phase ${run.phase}: ${sums(record)}`,
  ].map(printable).join('\n');
}

/** Said of a login that is not root's and whose sudo asks for a password. */
const withoutRoot = 'ports below 1024, ICMP and its witnesses are out of reach; let sudo run without a password there (NOPASSWD), or log in as root';

/** From × to: how many of the cells passed. */
function grid(findings: readonly Finding[]): readonly string[] {
  const froms = [...new Set(findings.map(({ flow }) => flow.from))];
  const machine = (to: string): string => (froms.includes(to) ? to : 'internet');
  const tos = [...froms, 'internet'];
  const cell = (from: string, to: string): string => {
    const own = findings.filter(({ flow }) => flow.from === from && machine(flow.to) === to);
    if (own.length === 0) return '·';
    const passed = own.filter(({ verdict }) => verdict.result === 'pass').length;
    if (passed === own.length) return `${passed} ok`;
    return `${passed}/${own.length} ${own.every(({ verdict, waiver }) => verdict.result === 'pass' || waiver !== null) ? 'w' : '!'}`; // w: the others are waived
  };
  const rows = [['from \\ to', ...tos], ...froms.map((from) => [from, ...tos.map((to) => cell(from, to))])];
  const widths = tos.concat('').map((_name, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  '));
}

/** What has one vantage, one result and one reason is told once. */
function causes(wrong: readonly Finding[]): readonly string[] {
  const groups = new Map<string, Finding[]>();
  for (const finding of wrong) {
    const key = `${finding.flow.from} ${finding.flow.expected} ${finding.verdict.result} ${finding.verdict.reason}`;
    groups.set(key, [...(groups.get(key) ?? []), finding]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const word = first.verdict.result === 'fail' ? 'FAIL' : 'COULD NOT TELL';
    const more = group.length > shownOfACause ? [`    … and ${group.length - shownOfACause} more`] : [];
    return [`${word}: ${first.verdict.reason}`, ...group.slice(0, shownOfACause).map(({ flow }) => `    ${flow.id}: ${flow.expected} (${flow.row})`), ...more, ''];
  });
}

/** Nothing is said where nothing was lost. */
function lossLine({ run: { loss } }: RunRecord): readonly string[] {
  if (loss.missed === 0) return [];
  const share = `${((loss.missed / loss.roundTrips) * 100).toFixed(1)} % of ${loss.roundTrips} round trips on flows that answer`;
  return [`packets are lost: ${share} (up to ${Math.round(loss.atMost * 100)} % one way); ${loss.tries === null ? 'silence tells nothing at that' : `${loss.extraTries} tries were made for it, ${loss.tries} for each silent look`}`];
}

function families(findings: readonly Finding[]): string {
  const counts = new Map<string, number>();
  for (const { flow } of findings) counts.set(flow.family, (counts.get(flow.family) ?? 0) + 1);
  return [...counts].map(([family, count]) => `${family} ${count}`).join(', ');
}

function sums({ run, findings }: RunRecord): string {
  const passed = (grade: string): number => findings.filter(({ verdict }) => verdict.result === 'pass' && verdict.grade === grade).length;
  const of = (result: string): number => findings.filter(({ verdict, waiver }) => verdict.result === result && waiver === null).length;
  return `${findings.length} of ${run.universe} cells: pass ${of('pass')} (${passed('proven')} proven, ${passed('inferred')} inferred, ${passed('no path')} no path), ` +
    `fail ${of('fail')}, inconclusive ${of('inconclusive')}, waived ${findings.filter(({ waiver }) => waiver !== null).length}`;
}

/** Text from elsewhere must not move the cursor, colour the terminal, turn its direction, or hide: a line of it stays one line. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu, '\uFFFD');
}
