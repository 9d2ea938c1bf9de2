// What came of a sweep, pair by pair: for people, for CI, and to be gone on with. Pure.
import { grouped } from '../grouped.ts';
import type { Pair, Port, UnitResult } from '../model.ts';
import { printable } from '../reports/console.ts';
import { renderSuite, type SuiteCase } from '../reports/junit.ts';
import { leftOf, portsOf, type Range } from './units.ts';

/** A pair's units as one. `result`: red if any port is, inconclusive if any could not be told or is not swept yet; `missing`: ports that are not. */
export type PairResult = Pick<Pair, 'id' | 'from' | 'to' | 'transport'> & Pick<UnitResult, 'passed' | 'open' | 'red' | 'more' | 'told' | 'packets' | 'ms'> & Readonly<{ result: 'pass' | 'fail' | 'inconclusive'; missing: number }>;

/** @param range the ports that were asked for */
export function pairResults(pairs: readonly Pair[], range: Range, results: readonly UnitResult[]): readonly PairResult[] {
  const byPair = grouped(results, ({ pair }) => pair);
  return pairs.map(({ id, from, to, transport }) => {
    const own = (byPair.get(id) ?? []).toSorted((a, b) => a.first - b.first);
    const sum = (of: (one: UnitResult) => number): number => own.reduce((total, one) => total + of(one), 0);
    const passed: Record<string, number> = {};
    for (const [grade, count] of own.flatMap((one) => Object.entries(one.passed))) passed[grade] = (passed[grade] ?? 0) + count;
    const red = own.flatMap((one) => one.red);
    const [more, missing] = [sum((one) => one.more), portsOf(leftOf(range, own))];
    const result = red.some((one) => one.result === 'fail') ? 'fail' : red.length > 0 || missing > 0 ? 'inconclusive' : 'pass';
    return { id, from, to, transport, result, passed, open: own.flatMap((one) => one.open), red, more, told: own.flatMap((one) => one.told), missing, packets: sum((one) => one.packets), ms: sum((one) => one.ms) };
  });
}

/** One line a pair, and below it what was not blocked, alike ports together. */
export function told({ id, transport, result, passed, open, red, more, told: through, missing }: PairResult): readonly string[] {
  const counts = Object.entries(passed).map(([grade, count]) => `${count} ${grade}`).join(', ') || 'none';
  const named = open.length === 0 ? '' : `; allowed and open: ${open.join(', ')}`;
  const head = `${{ pass: 'ok', fail: 'FAIL', inconclusive: '??' }[result].padEnd(4)} ${id}: blocked ${counts}${named}${missing > 0 ? `; ${missing} ports not swept` : ''}`;
  const alike = (ports: readonly Port[], word: (one: Port) => string): readonly string[] =>
    [...grouped(ports, (one) => `${word(one)}: ${one.reason.replace(/ has it: .*/, '')}`).values()].map((group) => `       ${group.map(word)[0]}: ${transport}/${rangesOf(group.map(({ port }) => port))}: ${group[0]?.reason}`);
  return [head, ...alike(red, (one) => one.result), ...(more > 0 ? [`       and ${more} ports more`] : []), ...alike(through, () => 'told')].map((line) => printable(line));
}

/** A machine's line: what it was bounded by, and the most that there was of it. */
export function toldBounds(bounds: UnitResult['bounds']): readonly string[] {
  const words = { conntrack: 'connections tracked', descriptors: 'descriptors of its prober', processes: 'processes of its prober' } as const;
  return Object.entries(bounds).map(([host, own]) => {
    const parts = Object.entries(words).flatMap(([name, word]) => {
      const bound = own[name as keyof typeof words];
      return bound === undefined ? [] : [`${bound.most} of ${bound.of} ${word}`];
    });
    return printable(`most at a time on ${host}: ${parts.join(', ') || 'not known'}`);
  });
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
  return { classname: `sweep.${one.from}`, name: one.id, ms: one.ms, result: one.result, message: first === undefined ? text : `${one.transport}/${first.port}: ${first.reason}`, text };
}), properties);
