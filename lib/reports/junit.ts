// RunRecord -> JUnit XML, the dialect that Jenkins, GitLab and GitHub's reporters share. Pure. A violation is a <failure>,
// a look that could not be had an <error>, a waived violation is <skipped>; nothing else ever is.
import { create } from 'xmlbuilder2';
import type { XMLBuilder } from 'xmlbuilder2/lib/interfaces.js';
import type { Finding, RunRecord, Walls } from '../model.ts';
import { takeoverLines } from './takeover.ts';
import { waivedBy } from './waivers.ts';

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

/** One suite a vantage, one case a finding; a run that ended before its plan is one suite with one error. */
export function renderJunit(record: RunRecord): string {
  const { run, findings } = record;
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  const root = document.ele('testsuites', { name: 'flowproof', ...counts(findings), time: seconds(Date.parse(run.endedAt) - Date.parse(run.startedAt)) });
  for (const vantage of new Set(findings.map(({ flow }) => flow.from))) addSuite(root, record, vantage);
  return document.end({ prettyPrint: true });
}

/** For a run of which there is no record: a bad inventory, a fault of ours. It must not look like a run without faults. */
export function renderJunitFault(name: string, message: string): string {
  const document = create({ version: '1.0', encoding: 'UTF-8' });
  const suite = document.ele('testsuites', { name: 'flowproof', tests: 1, failures: 0, errors: 1 }).ele('testsuite', { name: 'flowproof', tests: 1, failures: 0, errors: 1, skipped: 0 });
  suite.ele('testcase', { name: attribute(name), classname: 'flowproof' }).ele('error', { type: 'run', message: attribute(message.split('\n')[0] ?? '') }).txt(clean(message));
  return document.end({ prettyPrint: true });
}

function addSuite(root: XMLBuilder, record: RunRecord, vantage: string): void {
  const { run, findings } = record;
  const takeovers = takeoverLines(record);
  const own = findings.filter(({ flow }) => flow.from === vantage);
  const host = run.hosts.find(({ name }) => name === vantage);
  const suite = root.ele('testsuite', {
    name: vantage, ...counts(own), timestamp: run.startedAt.replace('Z', ''), hostname: vantage,
    time: seconds(own.reduce((sum, { observation }) => sum + observation.durationMs, 0)),
  });
  const properties = suite.ele('properties');
  const told = {
    run: run.id, phase: run.phase, inventory: `sha256:${run.inventoryHash}`, matrix: run.matrixHash === null ? 'none' : `sha256:${run.matrixHash}`, flowproof: run.version, node: run.node,
    prober: host?.prober ?? 'none', hostKey: host?.hostKey ?? 'none', kernel: host?.facts?.kernel ?? 'unknown',
  };
  for (const [name, value] of Object.entries(told)) properties.ele('property', { name, value: attribute(value) });
  for (const finding of own) addCase(suite, finding);
  const takeover = takeovers.filter((line) => line.startsWith(`if ${vantage} is`));
  if (takeover.length > 0) suite.ele('system-out').txt(clean(takeover.join('\n')));
}

function addCase(suite: XMLBuilder, { flow, verdict, observation, walls, waiver }: Finding): void {
  const one = suite.ele('testcase', { name: attribute(flow.id), classname: `flowproof.${flow.from}.${flow.family.replaceAll(' ', '-')}`, time: seconds(observation.durationMs) });
  if (verdict.result !== 'pass') {
    const sentence = `${flow.id} is ${flow.expected} (${flow.row}): ${verdict.reason}`;
    if (waiver === null) one.ele(verdict.result === 'fail' ? 'failure' : 'error', { type: verdict.result, message: attribute(sentence) }).txt(clean(sentence));
    else one.ele('skipped', { message: attribute(`${waivedBy(waiver)}; ${sentence}`) });
  }
  const digest = [
    `expected ${flow.expected} (${flow.row}); address ${flow.address ?? 'unknown'}; ${flow.protocol}`,
    `seen ${observation.outcome.seen}; verdict ${verdict.result}${verdict.result === 'pass' ? ` (${verdict.grade})` : ''}: ${verdict.reason}`,
    ...(verdict.controls.length === 0 ? [] : [`controls: ${verdict.controls.join('; ')}`]),
    ...(walls === null ? [] : [`walls: its own ${stands(walls.near)}, the others' ${stands(walls.far)}`]),
    ...(observation.note === undefined ? [] : [observation.note]),
  ];
  one.ele('system-out').txt(clean(digest.join('\n')));
}

function stands(wall: Walls['near']): string {
  return wall.stands === null ? 'not told' : wall.stands ? 'stands' : 'is open';
}

function counts(findings: readonly Finding[]): { tests: number; failures: number; errors: number; skipped: number } {
  const of = (result: string): number => findings.filter(({ verdict, waiver }) => verdict.result === result && waiver === null).length;
  return { tests: findings.length, failures: of('fail'), errors: of('inconclusive'), skipped: findings.filter(({ waiver }) => waiver !== null).length };
}

function seconds(ms: number): string {
  return (Math.max(0, ms) / 1000).toFixed(3);
}
