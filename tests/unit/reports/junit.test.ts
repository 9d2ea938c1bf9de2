// JUnit XML, parsed back: one case a finding, counts that agree, and nothing a hostile host said that could break it.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import fc from 'fast-check';
import { create } from 'xmlbuilder2';
import type { Finding, RunRecord } from '../../../lib/model.ts';
import { junitPieces, renderJunit, renderJunitFault } from '../../../lib/reports/junit.ts';
import { aFinding, aRecord, passed, reached, untold } from '../../fixtures/flows.ts';

type Node = Readonly<{ name: string; attributes: Readonly<Record<string, string>>; text: string; children: readonly Node[] }>;

/** What of the DOM is needed here: xmlbuilder2 has types of its own, and node none. */
type Element = Readonly<{ nodeType: number; tagName: string; textContent: string; childNodes: Iterable<Element>; getAttributeNames: () => readonly string[]; getAttribute: (name: string) => string | null }>;

/** A parsed element as plain data. */
function tree(element: Element): Node {
  return {
    name: element.tagName,
    attributes: Object.fromEntries(element.getAttributeNames().map((name) => [name, element.getAttribute(name) ?? ''])),
    text: element.textContent,
    children: [...element.childNodes].filter((child) => child.nodeType === 1).map(tree),
  };
}

function parse(xml: string): Node {
  // eslint-disable-next-line no-control-regex -- control characters are what this is about
  expect(xml).to.not.match(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u);
  return tree(create(xml).root().node as unknown as Element);
}

function every(node: Node, name: string): readonly Node[] {
  return [...(node.name === name ? [node] : []), ...node.children.flatMap((child) => every(child, name))];
}

const dialect = fileURLToPath(new URL('../../fixtures/junit.xsd', import.meta.url));

/** What libxml2 has to say against it; nothing where it is well-formed and of our dialect. */
function faultsOf(xml: string): string {
  const { status, stderr, error } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', dialect, '-'], { input: xml, encoding: 'utf8' });
  if (error !== undefined) throw new Error(`xmllint is needed: sh tests/setup.sh (${error.message})`);
  return status === 0 ? '' : stderr;
}

const waiver = { cells: 'joi -> ntp *', reason: 'the old pump', acceptedBy: 'anna', until: '2027-01-31' };
const findings: readonly Finding[] = [
  aFinding('joi -> ntp vmbr1 tcp/25', passed), aFinding('joi -> ntp vmbr1 tcp/26', reached), aFinding('joi -> ntp vmbr1 tcp/27', untold),
  aFinding('mesh -> ntp vmbr1/ll tcp/25', passed, { from: 'mesh', family: 'link-local' }), aFinding('mesh -> ntp vmbr1 udp/123', untold, { from: 'mesh', expected: 'allowed', row: 'mesh-ntp' }, { note: 'ntp-client: Timeout' }),
  { ...aFinding('joi -> ntp vmbr1 tcp/28', reached), waiver },
];
const root = parse(renderJunit(aRecord(findings)));

describe('junit: a run', () => {
  it('has one case a finding, under the names of the flows', () => expect(every(root, 'testcase').map(({ attributes }) => attributes.name)).to.have.members(findings.map(({ flow }) => flow.id)));
  it('comes in pieces of one suite', () => expect([...junitPieces(aRecord(findings))].map((piece) => piece.split('<testsuite ').length - 1)).to.deep.equal([0, 1, 1, 0]));
  it('has one suite a vantage', () => expect(every(root, 'testsuite').map(({ attributes }) => attributes.name)).to.deep.equal(['joi', 'mesh']));
  it('counts what it holds, in each suite and in all', () => {
    for (const node of [root, ...every(root, 'testsuite')]) {
      const { tests, failures, errors, skipped } = node.attributes;
      expect([tests, failures, errors, skipped]).to.deep.equal(['testcase', 'failure', 'error', 'skipped'].map((name) => String(every(node, name).length)));
    }
    expect(root.attributes).to.include({ tests: '6', failures: '1', errors: '2', skipped: '1' });
  });
  it('makes a failure of a fail, an error of what could not be told, and skips what is waived alone', () => {
    const inside = (id: string): readonly string[] => every(root, 'testcase').find(({ attributes }) => attributes.name === id)?.children.map(({ name }) => name) ?? [];
    expect(findings.map(({ flow }) => inside(flow.id))).to.deep.equal([['system-out'], ['failure', 'system-out'], ['error', 'system-out'], ['system-out'], ['error', 'system-out'], ['skipped', 'system-out']]);
    expect(every(root, 'skipped')[0]?.text).to.match(/^waived \(.*until 2027-01-31 by anna: the old pump\); joi -> ntp vmbr1 tcp\/28: REACHED/);
  });
  it('says in the text of a failure what a reader needs, since some show no attribute', () => {
    const [failure] = every(root, 'failure');
    expect(failure?.text).to.equal(
      "joi -> ntp vmbr1 tcp/26: REACHED 172.22.22.3: TCP handshake; denied: no row of the matrix allows it; it left joi by eth0 and came straight to ntp; look at ntp's input chain, then at joi's output chain",
    );
    expect(failure?.attributes).to.include({ type: 'fail', message: failure?.text ?? '' });
  });
  it('says under each case what was seen, by what controls, and what a second look said', () => {
    const out = (id: string): string => every(root, 'testcase').find(({ attributes }) => attributes.name === id)?.text ?? '';
    expect(out('joi -> ntp vmbr1 tcp/25')).to.include('seen silent; verdict pass (proven)').and.include('controls: sender; before; after').and.include('looked at 2026-11-23T04:05:42.000Z for 1000 ms');
    expect(out('mesh -> ntp vmbr1 udp/123')).to.include('ntp-client: Timeout');
  });
  it('gives times in seconds, dated in UTC', () => {
    expect(root.attributes.time).to.equal('23.534');
    expect(every(root, 'testcase')[0]?.attributes.time).to.equal('1.000');
    expect(every(root, 'testsuite')[0]?.attributes.timestamp).to.equal('2026-11-23T04:05:41.755');
  });
  it('is of the dialect in junit.xsd, says libxml2', () => expect(faultsOf(renderJunit(aRecord(findings)))).to.equal(''));
  it('says in each case that it is a part, where it is one', () => {
    const part = every(parse(renderJunit(aRecord(findings, { selection: '--grep tcp' }))), 'testcase').map(({ text }) => text);
    expect(part.filter((text) => /A PART of the matrix: the 6 cells that --grep tcp selects/.test(text))).to.have.length(6);
  });
  it('of no cell is one error: an empty file would be taken for no fault', () => expect(every(parse(renderJunit(aRecord([], { stopped: 'stopped by SIGINT' }))), 'error').map(({ text }) => text)).to.deep.equal(['stopped by SIGINT']));
});

describe('junit: the properties of a suite', () => {
  const clock = { cell: 'joi -> ntp vmbr1 udp/123', localTime: '2026-11-23T04:05:42.000Z', serverTime: '2026-11-23T04:05:44.000Z', offsetMs: 2000, withinMs: 20 };
  const told = (over: Partial<RunRecord['run']>): Readonly<Record<string, string | undefined>> =>
    Object.fromEntries(every(parse(renderJunit(aRecord(findings, over))), 'properties')[0]?.children.map(({ attributes }) => [attributes.name, attributes.value]) ?? []);
  it('name the run, who ran it, what it was run with and against', () =>
    expect(told({})).to.include({ run: '5d9f0c3e-0000-4000-8000-000000000000', phase: 'steady', selection: 'all', operator: 'anna@seat', inventory: 'sha256:bc0da9', flowproof: '0.1.0', node: 'v20.20.2', prober: 'python as root', kernel: 'Linux 6.1' }));
  it('have the host key of each host', () => expect(told({})).to.include({ 'hostKey.joi': 'SHA256:abc', 'hostKey.gateway': 'SHA256:abc' }));
  it('have the hash of the rules that ran on each host', () => expect(told({})).to.include({ 'rules.joi': `sha256:${'d567'.repeat(16)}` }));
  it('have the time server\'s time beside the local clock', () => expect(told({ clock })).to.include({ 'clock.ntp': '2026-11-23T04:05:44.000Z', 'clock.local': '2026-11-23T04:05:42.000Z', 'clock.offsetMs': '2000', 'clock.withinMs': '20' }));
  it('say where no time server answered', () => expect(told({})).to.include({ 'clock.ntp': 'no answer' }));
});

/** What research found in the readers' sources and documents: each takes these parts and drops the rest. */
describe('junit: as its readers see it', () => {
  const targets = ['chat.signal.org', '1.1.1.1'].map((to) => aFinding(`joi -> ${to} tcp/443`, reached, { to, row: 'joi-any-wan' }));
  const cases = every(parse(renderJunit(aRecord([...findings, ...targets]))), 'testcase');
  const inside = ({ children }: Node, ...names: readonly string[]): Node | undefined => children.find(({ name }) => names.includes(name));

  it('GitLab: no two cases have one class and name, for it drops the second; the text alone says all', () => {
    expect(new Set(cases.map(({ attributes }) => `${attributes.classname} ${attributes.name}`)).size).to.equal(cases.length);
    for (const one of cases.filter((node) => inside(node, 'failure', 'error') !== undefined)) expect(inside(one, 'failure', 'error')?.text).to.include(one.attributes.name).and.match(/REACHED|NOT TOLD/);
  });
  it('Jenkins: the last dot parts package and class, so a destination has none', () => {
    const classes = cases.map(({ attributes }) => attributes.classname ?? '');
    expect(classes).to.include.members(['flowproof.joi.ntp', 'flowproof.mesh.ntp', 'flowproof.joi.chat_signal_org', 'flowproof.joi.1_1_1_1']);
    for (const name of classes) expect(name.split('.')).to.have.length(3);
  });
  it('Jenkins: no property has the name of another, for it keeps one', () => {
    for (const { children } of every(root, 'properties')) expect(new Set(children.map(({ attributes }) => attributes.name)).size).to.equal(children.length);
  });
  it('GitHub\'s reporters: the first failure or error has message and text, and a case has its time', () => {
    for (const one of cases) {
      expect(one.attributes.time).to.match(/^\d+\.\d{3}$/);
      const first = inside(one, 'failure', 'error');
      if (first !== undefined) expect(first.attributes.message).to.equal(first.text);
    }
  });
  it('all: names are the same in another run of the same cells', () => {
    const again = every(parse(renderJunit(aRecord([...findings, ...targets].map((finding) => ({ ...finding, verdict: passed })), { id: 'another', startedAt: '2026-12-01T00:00:00.000Z' }))), 'testcase');
    expect(again.map(({ attributes }) => `${attributes.classname} ${attributes.name}`)).to.deep.equal(cases.map(({ attributes }) => `${attributes.classname} ${attributes.name}`));
  });
  it('two ids that look alike once they are clean stay two cases', () => {
    const xml = renderJunit(aRecord(['\u0001', '\u0002'].map((mark) => aFinding(`joi -> ntp${mark} tcp/1`, passed))));
    expect(every(parse(xml), 'testcase')).to.have.length(2);
    expect(faultsOf(xml)).to.equal('');
  });
});

describe('junit: what others have said', () => {
  const hostile: readonly (readonly [sentence: string, text: string, shown: RegExp])[] = [
    ['control characters are shown as such', 'a\u0000b\u0001c\u001bd\u007f', /a\uFFFDb\uFFFDc\uFFFDd/],
    ['the end of a CDATA section ends nothing', 'a]]>b', /a\]\]>b/],
    ['markup stays text', '</failure><testcase name="x"/>&', /<\/failure><testcase name="x"\/>&/],
    ['quotes stay text', 'he said "no" & \'never\'', /"no" & 'never'/],
    ['emoji stay', 'fire 🔥', /fire 🔥/],
    ['half an emoji is shown as such', 'half \ud83d.', /half \uFFFD\./],
    ['colours lose their escape', '\u001b[31mred\u001b[0m', /\uFFFD\[31mred/],
    ['what no XML may hold is shown as such', '\uFFFE\uFFFF', /\uFFFD\uFFFD/],
  ];
  for (const [sentence, text, shown] of hostile)
    it(sentence, () => {
      const parsed = parse(renderJunit(aRecord([aFinding('joi -> ntp vmbr1 tcp/26', { ...reached, reason: text }, {}, { note: text })])));
      expect(every(parsed, 'testcase')).to.have.length(1);
      for (const name of ['failure', 'system-out']) expect(every(parsed, name)[0]?.text, name).to.match(shown);
      expect(every(parsed, 'failure')[0]?.attributes.message).to.match(shown);
    });
  it('none of it makes another document, says libxml2', () => {
    for (const [, text] of hostile) expect(faultsOf(renderJunit(aRecord([aFinding(`joi -> ${text} tcp/26`, { ...reached, reason: text }, { to: text, row: text }, { note: text })], { operator: text, selection: text })))).to.equal('');
  });
  it('line ends stay out of attributes', () => {
    const [failure] = every(parse(renderJunit(aRecord([aFinding('joi -> ntp vmbr1 tcp/26', { ...reached, reason: 'a\nb\tc' })]))), 'failure');
    expect(failure?.attributes.message).to.include('a b c');
  });
  it('any text at all gives a document of one case', () => fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => {
    const parsed = parse(renderJunit(aRecord([aFinding('joi -> ntp vmbr1 tcp/26', { ...reached, reason: text }, {}, { note: text })])));
    expect(every(parsed, 'testcase').length).to.equal(1);
  })));
});

describe('junit: a run that came to nothing', () => {
  it('has one case with one error, and its counts say so', () => {
    const fault = parse(renderJunitFault('the run starts', 'site.json: 1 mistake\n  $.x: unknown\u0000 key'));
    expect(fault.attributes).to.include({ tests: '1', failures: '0', errors: '1' });
    expect(faultsOf(renderJunitFault('the run starts', 'site.json: 1 mistake\n  $.x: unknown\u0000 key'))).to.equal('');
    expect(every(fault, 'testcase').map(({ attributes }) => attributes.name)).to.deep.equal(['the run starts']);
    expect(every(fault, 'error')[0]?.text).to.include('$.x: unknown\uFFFD key');
    expect(every(fault, 'error')[0]?.attributes.message).to.equal('site.json: 1 mistake');
  });
});
