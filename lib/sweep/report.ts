// What came of a sweep, pair by pair: for people, for CI, and to be gone on with. Pure.
import { grouped } from '../grouped.ts';
import type { Pair, Port, Unit, UnitResult } from '../model.ts';
import { printable } from '../reports/console.ts';
import { renderSuite, type SuiteCase } from '../reports/junit.ts';

/** A pair's units as one. `result`: red if any port is, inconclusive if any could not be told or is not swept yet. */
export type PairResult = Readonly<{ id: string; from: string; to: string; result: 'pass' | 'fail' | 'inconclusive'; passed: Readonly<Record<string, number>>; open: readonly number[]; red: readonly Port[]; more: number; missing: number; packets: number; ms: number }>;

export function pairResults(pairs: readonly Pair[], units: readonly Unit[], results: readonly UnitResult[]): readonly PairResult[] {
  const byPair = grouped(results, ({ pair }) => pair);
  const wanted = grouped(units, ({ pair }) => pair);
  return pairs.map(({ id, from, to }) => {
    const own = byPair.get(id) ?? [];
    const sum = (of: (one: UnitResult) => number): number => own.reduce((total, one) => total + of(one), 0);
    const passed: Record<string, number> = {};
    for (const [grade, count] of own.flatMap((one) => Object.entries(one.passed))) passed[grade] = (passed[grade] ?? 0) + count;
    const red = own.flatMap((one) => one.red);
    const [more, missing] = [sum((one) => one.more), (wanted.get(id)?.length ?? 0) - own.length];
    const result = red.some((one) => one.result === 'fail') ? 'fail' : red.length > 0 || missing > 0 ? 'inconclusive' : 'pass';
    return { id, from, to, result, passed, open: own.flatMap((one) => one.open), red, more, missing, packets: sum((one) => one.packets), ms: sum((one) => one.ms) };
  });
}

/** One line a pair, and below it what was not blocked, alike ports together. */
export function told({ id, result, passed, open, red, more, missing }: PairResult): readonly string[] {
  const counts = Object.entries(passed).map(([grade, count]) => `${count} ${grade}`).join(', ') || 'none';
  const named = open.length === 0 ? '' : `; allowed and open: ${open.join(', ')}`;
  const head = `${{ pass: 'ok', fail: 'FAIL', inconclusive: '??' }[result].padEnd(4)} ${id}: blocked ${counts}${named}${missing > 0 ? `; ${missing} parts not swept` : ''}`;
  const alike = [...grouped(red, ({ result: kind, reason }) => `${kind}: ${reason.replace(/ has it: .*/, '')}`).values()];
  const lines = alike.map((ports) => `       ${ports[0]?.result}: tcp/${rangesOf(ports.map(({ port }) => port))}: ${ports[0]?.reason}`);
  return [head, ...lines, ...(more > 0 ? [`       and ${more} ports more`] : [])].map((line) => printable(line));
}

/** 1, 2, 3, 9 -> `1-3,9` */
export function rangesOf(ports: readonly number[]): string {
  const ranges: [number, number][] = [];
  for (const port of ports.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] >= port - 1) last[1] = port;
    else ranges.push([port, port]);
  }
  return ranges.map(([first, last]) => (first === last ? String(first) : `${first}-${last}`)).join(',');
}

export const counted = (results: readonly PairResult[]): Readonly<{ pass: number; fail: number; inconclusive: number }> => ({
  pass: results.filter(({ result }) => result === 'pass').length,
  fail: results.filter(({ result }) => result === 'fail').length,
  inconclusive: results.filter(({ result }) => result === 'inconclusive').length,
});

/** JUnit: a case a pair. */
export const renderJunit = (results: readonly PairResult[], properties: Readonly<Record<string, string>>): string => renderSuite('sweep', results.map((one): SuiteCase => {
  const text = told(one).join('\n');
  const [first] = one.red;
  return { classname: `sweep.${one.from}`, name: `${one.id} tcp`, ms: one.ms, result: one.result, message: first === undefined ? text : `tcp/${first.port}: ${first.reason}`, text };
}), properties);
