// The page: one file, nothing of others in it but as text. How it looks and works is tests/browser's.
import { expect } from 'chai';
import type { CellState } from '../../../lib/changes.ts';
import type { HostRecord, Window } from '../../../lib/model.ts';
import { assessorPart } from '../../../lib/reports/html/assessor.ts';
import { changesPart } from '../../../lib/reports/html/changes.ts';
import { dataOf } from '../../../lib/reports/html/data.ts';
import { heatMap } from '../../../lib/reports/html/heat.ts';
import { renderHtml } from '../../../lib/reports/html/index.ts';
import { topology } from '../../../lib/reports/html/topology.ts';
import { cellStateOf } from '../../../lib/reports/verdicts.ts';
import { aConfiguration, aFinding, aRecord, passed, reached, untold } from '../../fixtures/flows.ts';

const attack = `</script><img src=x onerror=alert(1)>'"&`;
const page = (...findings: Parameters<typeof aRecord>[0]): string => renderHtml(aRecord(findings), null, { style: 'p{}', script: '1' });
const waiver = { cells: '*', reason: 'old switch', acceptedBy: 'anna', until: '2026-12-31' };
const arrows = (svg: string): readonly string[] => [...svg.matchAll(/<title>([^<]*)<\/title><path class="arrow ([a-z]+)"/g)].map(([, title, state]) => `${state}: ${title}`);

describe('html', () => {
  it('tells a violation with its cause and what to look at next', () => expect(page(aFinding('joi -> ntp vmbr1 tcp/26', reached))).to.match(/Fails<\/span>[^<]*ntp.*<dt>Expected<\/dt><dd>denied: no row.*<dt>Look next<\/dt>.*<li>joi -&gt; ntp vmbr1 tcp\/26<\/li>/));
  it('has what others wrote as text alone', () => {
    const text = page(aFinding(attack, { ...reached, reason: attack }, { row: attack, from: attack, to: attack }));
    expect(text).to.not.include('<img');
    expect(text.match(/<\/script>/g)).to.have.length(2);
  });
  it('shows a sign for what would turn or hide text', () => expect(page(aFinding('joi', { ...reached, reason: 'a\u202Eb\u0000c\u200Bd' }))).to.include('a\uFFFDb\uFFFDc\uFFFDd').and.not.match(/[\u202E\u0000\u200B]/));
  it('asks nothing of any network', () => expect(page(aFinding('a', passed))).to.include(`content="default-src 'none'; style-src 'sha256-`).and.not.match(/(src|href)="(?!#)/));
  it('says "as the matrix says" of a run that is, and of no other', () => {
    expect(page(aFinding('a', passed))).to.include('>As the matrix says<');
    expect(page(aFinding('a', untold))).to.include('>Not as the matrix says<');
  });
});

describe('html: what changed', () => {
  const now = aRecord([aFinding('joi -> ntp vmbr1 tcp/25', passed), aFinding('joi -> ntp vmbr1 tcp/26', reached), aFinding('joi -> ntp vmbr1 tcp/27', passed)]);
  const since = (...cells: readonly CellState[]): string => changesPart(now, { folder: '2026-11-22T00-00-00-000Z', cells });
  const [first, second, third] = now.findings.map(cellStateOf) as [CellState, CellState, CellState];
  it('is told as nothing where nothing has', () => expect(since(first, second, third)).to.equal('<p>No verdict has changed since 2026-11-22T00-00-00-000Z.</p>'));
  it('names each cell that turned, is new or is gone, and from what', () => {
    const told = since(first, { ...second, verdict: 'pass', grade: 'proven', seen: 'silent' }, { ...third, id: attack });
    expect(told).to.include('<summary>Cells since 2026-11-22T00-00-00-000Z: 1 with another verdict, 1 new, 1 no longer there</summary>');
    expect(told).to.match(/<li>joi -&gt; ntp vmbr1 tcp\/26: pass \(proven\) -&gt; fail.*<li>joi -&gt; ntp vmbr1 tcp\/27: new, pass \(proven\).*<li>[^<]*: no longer there, was pass \(proven\)<\/li>/).and.not.include('<img');
  });
  it('leaves out what was only seen otherwise', () => expect(since({ ...first, seen: 'barred' }, second, third)).to.include('No verdict has changed'));
  it('names 200 at most, and says how many more there are', () => expect(since(...Array.from({ length: 500 }, (_none, index) => ({ ...first, id: `cell ${index}` })))).to.match(/<li>and 303 more<\/li><\/ul><\/details>$/));
  it('says where there is no run to be held against', () => expect(changesPart(now, null)).to.match(/^<p>Nothing to compare with/));
  it('stands in the page', () => expect(renderHtml(now, { folder: 'earlier', cells: [first, second, third] }, { style: '', script: '' })).to.include('<h2>What changed</h2><p>No verdict has changed since earlier.</p>'));
});

describe('html: the configuration of each host', () => {
  const row = (configuration: HostRecord['configuration']): string => {
    const record = aRecord([aFinding('a', passed)]);
    const [host] = record.run.hosts;
    return /<caption>Configuration<\/caption>.*?<tbody>(.*?)<\/tbody>/s.exec(assessorPart({ ...record, run: { ...record.run, hosts: [{ ...(host as HostRecord), configuration }] } }))?.[1] ?? 'no table';
  };
  it('has what forwards, whether IPv6 is on, the hash of the rules, whether a boot loads the same, and how long certificates hold', () => {
    const told = row({
      ...aConfiguration, sysctls: [{ name: 'ipv4/ip_forward', value: '1' }, { name: 'ipv6/conf/eth0/disable_ipv6', value: '1' }],
      boot: { ...aConfiguration.boot, is: 'differs' }, certificates: [{ file: '/etc/nebula/host.crt', name: 'mesh', notAfter: '2027-11-25T08:53:27.000Z' }],
    });
    expect(told).to.include('<td>IPv4</td><td>off: eth0</td>').and.include(`<td>${'d567'.repeat(16)}</td><td>differs: nft -f /etc/nftables.conf</td><td>mesh (/etc/nebula/host.crt) until 2027-11-25</td>`);
  });
  it('says what could not be had', () => {
    expect(row({ operation: 'exchange', cause: 'the prober ended' })).to.include('<td>not told</td><td>the prober ended</td>');
    expect(row({ ...aConfiguration, rules: null })).to.include('<td>not readable</td>');
  });
  it('has none of the seat, which is nothing of the site', () => expect(row(null)).to.equal(''));
});

describe('html: the decision windows', () => {
  const told = (...windows: readonly Window[]): string => /<li>silence of denied handshakes[^<]*/.exec(assessorPart(aRecord([aFinding('a', passed)], { windows })))?.[0] ?? 'no line';
  const near = { from: 'joi', to: 'ntp', network: 'vmbr1', roundTripMs: 13, windowMs: 200 };
  const unmeasured = { from: 'joi', to: null, network: 'wan', roundTripMs: null, windowMs: 700 };
  it('are one line, with what they were made of', () => expect(told(near, { ...near, to: 'mesh', roundTripMs: 160, windowMs: 480 }, unmeasured)).to.equal('<li>silence of denied handshakes was waited for, after the last try: 200 to 480 ms, where round trips of at most 13 to 160 ms were measured; 700 ms where none was'));
  it('are told where all or none were measured', () => {
    expect(told(near)).to.match(/: 200 ms, where round trips of at most 13 ms were measured$/);
    expect(told(unmeasured)).to.match(/: 700 ms where none was$/);
  });
  it('are not told of older evidence', () => expect(assessorPart(aRecord([aFinding('a', passed)]))).to.not.include('silence of denied'));
});

describe('html: the picture', () => {
  it('has an arrow for each from × to, as bad as its worst cell', () => {
    const svg = topology(aRecord([
      aFinding('a', passed), aFinding('b', reached), aFinding('c', passed, { from: 'ntp', to: 'joi' }), aFinding('d', passed, { from: 'mesh', to: 'joi', expected: 'allowed' }),
      aFinding('e', untold, { from: 'ntp', to: 'example.com' }), { ...aFinding('f', reached, { from: 'mesh', to: '1.1.1.1' }), waiver },
    ]));
    expect(arrows(svg)).to.deep.equal([
      'blocked: ntp to joi: 1 of 1 cells all blocked, as it should be', 'open: mesh to joi: 1 of 1 cells open as listed, the rest blocked', 'waived: mesh to internet: 1 of 1 cells waived',
      'untold: ntp to internet: 1 of 1 cells could not be told', 'fail: joi to ntp: 1 of 2 cells not as the matrix says',
    ]);
  });
});

describe('html: the heat map', () => {
  it('has a column for a port where something is allowed or wrong, and one for the rest', () => {
    const map = heatMap(aRecord([aFinding('a', passed), aFinding('b', reached, { port: 26 }), aFinding('c', passed, { port: 443, expected: 'allowed' })]));
    expect([...map.matchAll(/<th scope="col"><span>([^<]*)/g)].map(([, head]) => head)).to.deep.equal(['From → to', 'tcp/26', 'tcp/443', 'tcp other']);
    expect(map).to.match(/<tr><th scope="row">joi → ntp<\/th><td class="fail">.*✗<\/a><\/td><td class="open">✓<\/td><td class="blocked">–<\/td><\/tr>/);
  });
});

describe('html: what the script searches', () => {
  it('has each cell with the lines of its evidence, and a line once', () => {
    const { lines, cells } = dataOf(aRecord([aFinding('a', passed), aFinding('b', reached)]));
    expect(cells.map(([id, , , , state]) => [id, state])).to.deep.equal([['a', 'blocked'], ['b', 'fail']]);
    expect(cells[1]?.[5].map((index) => lines[index])).to.include('seen silent; verdict fail: reached: TCP handshake');
    expect(new Set(lines).size).to.equal(lines.length);
  });
  it('has the evidence of what did not pass alone where there are very many cells', () => {
    const all = Array.from({ length: 20_001 }, (_none, index) => aFinding(`c${index}`, index === 7 ? reached : passed));
    const { lines, cells } = dataOf(aRecord(all));
    expect(cells).to.have.length(all.length);
    expect(cells[7]?.[5].map((index) => lines[index])).to.include('seen silent; verdict fail: reached: TCP handshake');
    expect(cells[8]?.[5].map((index) => lines[index]).join()).to.match(/^passed; its evidence is in evidence\.json alone/);
  });
});
