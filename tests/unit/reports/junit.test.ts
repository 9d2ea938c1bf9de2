// JUnit XML, parsed back: one case a finding, counts that agree, and nothing a hostile host said that could break it.
import { expect } from 'chai';
import fc from 'fast-check';
import { create } from 'xmlbuilder2';
import type { Finding } from '../../../lib/model.ts';
import { renderJunit, renderJunitFault } from '../../../lib/reports/junit.ts';
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

const findings: readonly Finding[] = [
  aFinding('joi -> ntp vmbr1 tcp/25', passed), aFinding('joi -> ntp vmbr1 tcp/26', reached), aFinding('joi -> ntp vmbr1 tcp/27', untold),
  aFinding('mesh -> ntp vmbr1/ll tcp/25', passed, { from: 'mesh', family: 'link-local' }), aFinding('mesh -> ntp vmbr1 udp/123', untold, { from: 'mesh', expected: 'allowed', row: 'mesh-ntp' }, { note: 'ntp-client: Timeout' }),
];
const root = parse(renderJunit(aRecord(findings)));

describe('junit: a run', () => {
  it('has one case a finding, under the names of the flows', () => expect(every(root, 'testcase').map(({ attributes }) => attributes.name)).to.deep.equal(findings.map(({ flow }) => flow.id)));
  it('has one suite a vantage', () => expect(every(root, 'testsuite').map(({ attributes }) => attributes.name)).to.deep.equal(['joi', 'mesh']));
  it('counts what it holds, in each suite and in all', () => {
    for (const node of [root, ...every(root, 'testsuite')]) {
      const { tests, failures, errors } = node.attributes;
      expect([tests, failures, errors]).to.deep.equal([every(node, 'testcase').length, every(node, 'failure').length, every(node, 'error').length].map(String));
    }
    expect(root.attributes).to.include({ tests: '5', failures: '1', errors: '2' });
  });
  it('makes a failure of a fail and an error of what could not be told, and nothing is skipped without a waiver', () => {
    const inside = (id: string): readonly string[] => every(root, 'testcase').find(({ attributes }) => attributes.name === id)?.children.map(({ name }) => name) ?? [];
    expect(findings.map(({ flow }) => inside(flow.id))).to.deep.equal([['system-out'], ['failure', 'system-out'], ['error', 'system-out'], ['system-out'], ['error', 'system-out']]);
    expect(every(root, 'skipped')).to.deep.equal([]);
  });
  it('says in the text of a failure what a reader needs, since some show no attribute', () => {
    const [failure] = every(root, 'failure');
    expect(failure?.text).to.equal('joi -> ntp vmbr1 tcp/26 is denied (everything else): reached: TCP handshake');
    expect(failure?.attributes).to.include({ type: 'fail', message: failure?.text ?? '' });
  });
  it('says under each case what was seen, by what controls, and what a second look said', () => {
    const out = every(root, 'system-out').map(({ text }) => text);
    expect(out[0]).to.include('seen silent; verdict pass (proven)').and.include('controls: sender; before; after');
    expect(out[4]).to.include('ntp-client: Timeout');
  });
  it('gives times in seconds, dated in UTC', () => {
    expect(root.attributes.time).to.equal('23.534');
    expect(every(root, 'testcase')[0]?.attributes.time).to.equal('1.000');
    expect(every(root, 'testsuite')[0]?.attributes.timestamp).to.equal('2026-11-23T04:05:41.755');
  });
  it('has class names without blanks', () => expect(every(root, 'testcase').map(({ attributes }) => attributes.classname)).to.include('flowproof.mesh.link-local'));
  it('tells of the run in each suite', () => expect(every(root, 'property').filter(({ attributes }) => attributes.name === 'phase')).to.have.length(2));
});

describe('junit: a waived violation', () => {
  const waiver = { cells: 'joi -> *', reason: 'the switch & "it"', acceptedBy: 'A. Person', until: '2026-12-31' };
  const [suite] = every(parse(renderJunit(aRecord([{ ...aFinding('joi -> ntp vmbr1 tcp/26', reached), waiver }, aFinding('joi -> ntp vmbr1 tcp/27', reached)]))), 'testsuite');
  it('is skipped, with who accepted it until when and what was seen', () =>
    expect(suite && every(suite, 'skipped').map(({ attributes }) => attributes)).to.deep.equal([{ message: 'waived until 2026-12-31, accepted by A. Person: the switch & "it"; joi -> ntp vmbr1 tcp/26 is denied (everything else): reached: TCP handshake' }]));
  it('is counted as such, and is no failure', () => {
    expect(suite?.attributes).to.include({ tests: '2', failures: '1', errors: '0', skipped: '1' });
    expect(suite && every(suite, 'failure')).to.have.length(1);
  });
  it('says in its output that the verdict stays', () => expect(suite && every(suite, 'system-out')[0]?.text).to.include('verdict fail: reached: TCP handshake'));
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
    expect(every(fault, 'testcase').map(({ attributes }) => attributes.name)).to.deep.equal(['the run starts']);
    expect(every(fault, 'error')[0]?.text).to.include('$.x: unknown\uFFFD key');
    expect(every(fault, 'error')[0]?.attributes.message).to.equal('site.json: 1 mistake');
  });
});
