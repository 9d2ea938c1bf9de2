// The matrix as counts, from × to. Pure.
import type { Finding, RunRecord } from '../model.ts';

export const internet = 'internet';

/** A function from a finding to the column it stands in: a machine of ours, or everything outside. */
export function columnsOf({ run, findings }: RunRecord): (finding: Finding) => string {
  const machines = new Set([...run.hosts.map(({ name }) => name), ...findings.map(({ flow }) => flow.from)]);
  return ({ flow }) => (machines.has(flow.to) ? flow.to : internet);
}

/** More columns than these are on no terminal. */
const mostColumns = 20;

/** As lines of equal columns; of very many machines, what is asked of machines stands in one. */
export function grid(record: RunRecord): readonly string[] {
  const all = counts(record);
  const rows = (all[0]?.length ?? 0) <= mostColumns ? all : counts(record, 'machines');
  const widths = rows[0]?.map((_name, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  '));
}

/** `together`: one column for all machines, by that name. Heads, then a row for each source: `157 ok`, `1/2 !` where not all are well, a dot where there is nothing. */
export function counts(record: RunRecord, together?: string): readonly (readonly string[])[] {
  const { run, findings } = record;
  const ownColumn = columnsOf(record);
  const columnOf = (finding: Finding): string => (together === undefined || ownColumn(finding) === internet ? ownColumn(finding) : together);
  const cells = new Map<string, Finding[]>();
  const seen = new Set<string>();
  for (const finding of findings) {
    const key = `${finding.flow.from} ${columnOf(finding)}`;
    const group = cells.get(key) ?? [];
    group.push(finding);
    cells.set(key, group);
    seen.add(finding.flow.from).add(columnOf(finding));
  }
  const froms = [...new Set(findings.map(({ flow }) => flow.from))];
  const tos = (together === undefined ? [...new Set([...run.hosts.map(({ name }) => name), ...froms])].filter((name) => seen.has(name) && name !== internet) : [together]).concat(internet);
  return [['from \\ to', ...tos], ...froms.map((from) => [from, ...tos.map((to) => countsOf(cells.get(`${from} ${to}`) ?? []))])];
}

function countsOf(findings: readonly Finding[]): string {
  if (findings.length === 0) return '·';
  const passed = findings.filter(({ verdict }) => verdict.result === 'pass').length;
  const waived = findings.filter(({ waiver }) => waiver !== null).length;
  if (passed + waived < findings.length) return `${passed}/${findings.length} !`;
  return waived === 0 ? `${passed} ok` : `${passed} ok, ${waived} waived`;
}
