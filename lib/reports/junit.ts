// RunRecord -> JUnit XML, the dialect that Jenkins, GitLab and GitHub's reporters share (tests/fixtures/junit.xsd). Pure. A violation is
// a <failure>, a look that could not be had an <error>, a waived violation <skipped>.
import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Finding, RunRecord, Shard } from '../model.ts';
import { causesOf } from './causes.ts';
import { digestOf } from './digest.ts';
import { grouped } from '../grouped.ts';
import { partOf } from './summary.ts';
import { takeoverLines } from './takeover.ts';
import { expectedOf, seenOf, wayOf } from './words.ts';

/** What may stand in XML 1.0 (section 2.2); hostile banners bring the rest. Tab and line ends are kept out of attributes. */
// eslint-disable-next-line no-control-regex -- control characters are what this is about
const notXml = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

function clean(text: string): string {
  // xmlbuilder2 takes an `&amp;` in a text for one of its own making; with every ampersand written out it is right.
  return text.replace(notXml, '\uFFFD').replaceAll('&', '&amp;');
}

function attribute(text: string): string {
  return clean(text).replace(/[\t\n\r]+/g, ' ');
}

/** One suite a vantage, one case a finding; a run of no finding is one error, since no reader takes an empty file for a fault. */
export const renderJunit = (record: RunRecord): string => [...junitPieces(record)].join('');

/** The same in pieces, a suite each: the document of a whole run takes many times its text in memory. */
export function* junitPieces(record: RunRecord): Generator<string> {
  const { run, findings } = record;
  if (findings.length === 0 && run.shard !== null && run.stopped === null) return yield renderEmptyShard(run.shard, partOf(record) ?? '');
  if (findings.length === 0) return yield renderJunitFault('the run has cells', run.stopped ?? 'no cell was looked at');
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  document.ele('testsuites', { name: 'flowproof', ...counts(findings), time: seconds(Date.parse(run.endedAt) - Date.parse(run.startedAt)) });
  // Its start and its end, with nothing between them yet.
  const [head = '', tail = ''] = document.end({ prettyPrint: true, allowEmptyTags: true }).split(/(?=<\/testsuites>)/);
  yield head;
  const told = sentences(record);
  const takeover = takeoverLines(record);
  for (const [vantage, own] of record.spooled?.findings() ?? grouped(findings, ({ flow }) => flow.from)) yield `\n  ${suiteOf(record, vantage, own, { told, takeover }).end({ prettyPrint: true, headless: true, offset: 1 }).trimStart()}`;
  yield `\n${tail}`;
}

/** For a run of which there is no record: a bad inventory, a fault of ours. It must not look like a run without faults. */
export function renderJunitFault(name: string, message: string): string {
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  const count = { tests: 1, failures: 0, errors: 1, skipped: 0 };
  const suite = document.ele('testsuites', { name: 'flowproof', ...count }).ele('testsuite', { name: 'flowproof', ...count });
  suite.ele('testcase', { name: attribute(name), classname: 'flowproof' }).ele('error', { type: 'run', message: attribute(message.split('\n')[0] ?? '') }).txt(clean(message));
  return document.end({ prettyPrint: true });
}

/** Neither a pass, since nothing was looked at, nor a failure: no source was left for this shard. */
function renderEmptyShard({ number, of }: Shard, message: string): string {
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  const count = { tests: 1, failures: 0, errors: 0, skipped: 1 };
  const suite = document.ele('testsuites', { name: 'flowproof', ...count }).ele('testsuite', { name: `shard ${number}/${of}`, ...count });
  suite.ele('testcase', { name: `shard ${number}/${of} has no source`, classname: 'flowproof' }).ele('skipped', { message }).txt(message);
  return document.end({ prettyPrint: true });
}

/** A function from a finding that is no pass: what happened and what to look at, in one sentence. GitLab shows the text, not the attribute. */
function sentences(record: RunRecord): (finding: Finding) => string {
  const causes = new Map(causesOf(record).flatMap((cause) => cause.cells.map(({ flow }) => [flow.id, cause] as const)));
  return (finding) => {
    const cause = causes.get(finding.flow.id);
    if (cause === undefined) return '';
    const waived = cause.result === 'waived' ? `waived (${cause.title}); ` : '';
    return `${waived}${seenOf(finding)}; ${expectedOf(finding, record.run)}; ${wayOf(finding, record.run)}; ${cause.next}`;
  };
}

type Told = Readonly<{ told: (finding: Finding) => string; takeover: readonly string[] }>;

function suiteOf(record: RunRecord, vantage: string, own: readonly Finding[], { told, takeover }: Told): XMLBuilder {
  const { run } = record;
  const suite = create().ele('testsuite', {
    name: attribute(vantage), ...counts(own), timestamp: run.startedAt.replace('Z', ''), hostname: attribute(vantage),
    time: seconds(own.reduce((sum, { observation }) => sum + observation.durationMs, 0)),
  });
  const properties = suite.ele('properties');
  for (const [name, value] of Object.entries(propertiesOf(record, vantage))) properties.ele('property', { name: attribute(name), value: attribute(value) });
  const part = partOf(record);
  const taken = new Set<string>();
  for (const finding of own) addCase(suite, finding, { told: told(finding), part, taken });
  const lines = [...(part === null ? [] : [part]), ...takeover.filter((line) => line.startsWith(`if ${vantage} is`))];
  if (lines.length > 0) suite.ele('system-out').txt(clean(lines.join('\n')));
  return suite;
}

/** No name twice: Jenkins makes a map of them. */
function propertiesOf({ run }: RunRecord, vantage: string): Readonly<Record<string, string>> {
  const host = run.hosts.find(({ name }) => name === vantage);
  const { clock } = run;
  return {
    run: run.id, phase: run.phase, selection: run.selection ?? 'all', shard: run.shard === null ? (run.shards === null ? 'none' : `${run.shards.length} merged`) : `${run.shard.number}/${run.shard.of}`, operator: run.operator, inventory: `sha256:${run.inventoryHash}`, matrix: run.matrixHash === null ? 'none' : `sha256:${run.matrixHash}`, flowproof: run.version, node: run.node,
    prober: host?.prober ?? 'none', kernel: host?.facts?.kernel ?? 'unknown',
    ...Object.fromEntries(run.hosts.map(({ name, hostKey }) => [`hostKey.${name}`, hostKey ?? 'none'])),
    ...Object.fromEntries(run.hosts.map(({ name, configuration }) => [`rules.${name}`, configuration !== null && 'rules' in configuration && configuration.rules !== null ? `sha256:${configuration.rules}` : 'not read'])),
    startedAt: run.startedAt, endedAt: run.endedAt,
    ...(clock === null ? { 'clock.ntp': 'no answer' } : { 'clock.ntp': clock.serverTime, 'clock.local': clock.localTime, 'clock.offsetMs': String(clock.offsetMs), 'clock.withinMs': String(clock.withinMs), 'clock.cell': clock.cell }),
  };
}

type Case = Readonly<{ told: string; part: string | null; taken: Set<string> }>;

function addCase(suite: XMLBuilder, finding: Finding, { told, part, taken }: Case): void {
  const { flow, verdict, observation, waiver } = finding;
  const one = suite.ele('testcase', { name: uniqueName(attribute(flow.id), taken), classname: `flowproof.${classWord(flow.from)}.${classWord(flow.to)}`, time: seconds(observation.durationMs) });
  if (waiver !== null && verdict.result === 'fail') one.ele('skipped', { message: attribute(told) }).txt(clean(told));
  else if (verdict.result !== 'pass') one.ele(verdict.result === 'fail' ? 'failure' : 'error', { type: verdict.result, message: attribute(told) }).txt(clean(told));
  one.ele('system-out').txt(clean([...(part === null ? [] : [part]), ...digestOf(finding)].join('\n')));
}

/** Ids are unique; GitLab drops the second of a name, should two come to look alike once they are clean. */
function uniqueName(name: string, taken: Set<string>): string {
  const next = taken.has(name) ? Array.from({ length: taken.size + 1 }, (_none, index) => `${name} (${index + 2})`).find((other) => !taken.has(other)) ?? name : name;
  taken.add(next);
  return next;
}

/** Readers cut class names at dots and blanks: `chat.signal.org` is one word. */
function classWord(text: string): string {
  return text.replace(/[^\w-]+/g, '_');
}

function counts(findings: readonly Finding[]): { tests: number; failures: number; errors: number; skipped: number } {
  const of = (result: string): number => findings.filter(({ verdict, waiver }) => waiver === null && verdict.result === result).length;
  const skipped = findings.filter(({ verdict, waiver }) => waiver !== null && verdict.result === 'fail').length;
  return { tests: findings.length, failures: of('fail'), errors: findings.filter(({ verdict }) => verdict.result === 'inconclusive').length, skipped };
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3);
}

/** A case that is no cell of a run. */
export type SuiteCase = Readonly<{ classname: string; name: string; ms: number; result: 'pass' | 'fail' | 'inconclusive'; message: string; text: string }>;

/** A suite of such cases, in the same dialect. */
export function renderSuite(name: string, cases: readonly SuiteCase[], properties: Readonly<Record<string, string>>): string {
  const of = (result: SuiteCase['result']): number => cases.filter((one) => one.result === result).length;
  const totals = { tests: cases.length, failures: of('fail'), errors: of('inconclusive'), skipped: 0, time: seconds(cases.reduce((sum, { ms }) => sum + ms, 0)) };
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  const suite = document.ele('testsuites', { name: `flowproof ${name}`, ...totals }).ele('testsuite', { name, ...totals });
  const listed = suite.ele('properties');
  for (const [key, value] of Object.entries(properties)) listed.ele('property', { name: key, value: attribute(value) });
  for (const { classname, name: title, ms, result, message, text } of cases) {
    const test = suite.ele('testcase', { classname, name: attribute(title), time: seconds(ms) });
    if (result !== 'pass') test.ele(result === 'fail' ? 'failure' : 'error', { message: attribute(message), type: result === 'fail' ? 'violation' : 'inconclusive' }).txt(clean(text));
    test.ele('system-out').txt(clean(text));
  }
  return document.end({ prettyPrint: true });
}
