// Evidence judged again: it comes out as it stands, and one byte of a reply that was altered changes a verdict, by name.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { hashOf } from '../../../lib/bundle/hash.ts';
import { makeManifest } from '../../../lib/bundle/manifest.ts';
import { readEvidence } from '../../../lib/bundle/evidence.ts';
import { recordOf } from '../../../lib/bundle/record.ts';
import { verifyRun } from '../../../lib/bundle/runs.ts';
import { rejudge } from '../../../lib/rejudge.ts';
import { renderJson } from '../../../lib/reports/json.ts';
import { renderJunit } from '../../../lib/reports/junit.ts';
import { writeReports } from '../../../lib/reports/write.ts';
import { withWindows } from '../../../lib/window.ts';
import { judgedRecord, short } from '../../fixtures/judged.ts';
import { discovery, plan, shipped } from '../../fixtures/site.ts';

const measured = new Map([['mesh', 40], ['joi', 60], ['ntp', 100], ['operator', 1]]); // of the gateway, nobody can tell
const { plan: looked, windows } = withWindows(plan({ inventory: short }), { inventory: short, discovery }, measured);
const record = judgedRecord(looked, looked.flows, { windows });
const text = renderJson(record);
const altered = (from: string, to: string, after = ''): string => {
  const place = text.indexOf(from, text.indexOf(after));
  expect(place, from).to.be.greaterThan(-1);
  return `${text.slice(0, place)}${to}${text.slice(place + from.length)}`;
};
const firstOf = (result: string, from: string): string => record.findings.find(({ flow, verdict, observation }) => flow.expected === 'denied' && flow.from === from && verdict.result === result && observation.replies.length > 0)?.flow.id ?? '';
const [barred, denied] = [firstOf('pass', 'ntp'), firstOf('inconclusive', 'mesh')];

describe('rejudge', () => {
  it('makes every outcome and verdict as they stand', () => expect(rejudge(readEvidence(text, 'evidence.json'))).to.deep.equal([]));
  it('names the cell whose verdict one altered byte changes', () => {
    expect(barred, 'a cell that its own firewall stops').to.not.equal('');
    const told = rejudge(readEvidence(altered('"EPERM"', '"EPERN"', `"id":"${barred}"`), 'evidence.json')).join('\n');
    expect(told).to.include(`${barred}: the outcome stands as barred`).and.include(`${barred}: the verdict stands as pass`).and.include('judged again it is inconclusive (');
  });
  it('names a verdict that was altered itself', () => {
    const told = rejudge(readEvidence(altered('"verdict":"inconclusive"', '"verdict":"pass"', `"id":"${denied}"`), 'evidence.json'));
    expect(told).to.have.length(1);
    expect(told[0]).to.include('the verdict stands as pass');
  });
  it('names a window that its round trip does not make, and the look that has another than that', () => {
    const ntp = '{"from":"joi","to":"ntp","network":"vmbr1","roundTripMs":160,"windowMs":480}';
    const told = rejudge(readEvidence(altered(ntp, ntp.replace('480', '200')), 'evidence.json'));
    expect(told[0]).to.equal('the window joi -> ntp vmbr1 stands as 200 ms; its round trip makes it 480 ms');
    expect(told[1]).to.match(/^joi -> ntp vmbr1 tcp\/\d+: its look has a window of 480 ms; that of joi -> ntp vmbr1 is 200$/);
  });
  it('names the look whose own window was altered', () => {
    const told = rejudge(readEvidence(altered('"windowMs":480', '"windowMs":48', '"account"'), 'evidence.json'));
    expect(told).to.have.length(1);
    expect(told[0]).to.match(/: its look has a window of 48 ms; that of .* is 480$/);
  });
  it('reads older evidence, whose windows were not told', () => {
    const older = renderJson(judgedRecord(plan({ inventory: short })));
    expect(older).to.not.include('"windows"');
    expect(rejudge(readEvidence(older, 'evidence.json'))).to.deep.equal([]);
  });
  it('refuses evidence that is cut in half, or of another shape, by name', () => {
    expect(() => readEvidence(text.slice(0, text.length / 2), 'evidence.json')).to.throw(/evidence\.json: not JSON, cut or altered/);
    expect(() => readEvidence(altered('"sent"', '"sunk"'), 'evidence.json')).to.throw(/evidence\.json: \$\.flows\.\d+\.evidence/);
  });
});

describe('recordOf', () => it('makes the same reports again, byte for byte', () => {
  const again = recordOf(readEvidence(text, 'evidence.json'));
  expect(renderJson(again)).to.equal(text);
  expect(renderJunit(again)).to.equal(renderJunit(record));
}));

const differences = (folder: string): readonly string[] => verifyRun(folder, null).differences;

describe('verify', () => {
  let parent = '';
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));
  const write = (at: string): string => writeReports(parent, at, record, { 'inventory.json': shipped }).folder;

  it('finds two runs in a row as they were left', () => {
    const folders = [write('2026-11-23T04:05:41.744Z'), write('2026-11-24T04:05:41.744Z')];
    expect(folders.flatMap(differences)).to.deep.equal([]);
  });
  it('names an altered file, a stranger, one that is gone, and the chain', () => {
    const [first, second] = [write('2026-11-23T04:05:41.744Z'), write('2026-11-24T04:05:41.744Z')];
    writeFileSync(join(first, 'manifest.json'), `${readFileSync(join(first, 'manifest.json'), 'utf8')} `);
    expect(differences(second).join('\n')).to.match(/^chain: the manifest of 2026-11-23T04-05-41-744Z is not the one/);
    writeFileSync(join(second, 'junit.xml'), 'x');
    writeFileSync(join(second, 'notes'), 'x');
    rmSync(join(second, 'inventory.json'));
    rmSync(first, { recursive: true });
    expect(differences(second).join('\n')).to.include('junit.xml: altered').and.include('notes: not in manifest.json').and.include('inventory.json: named in manifest.json, and not there').and.include('chain: the run before');
  });
  it('sees a raw byte altered though all hashes were repaired', () => {
    const folder = write('2026-11-23T04:05:41.744Z');
    const file = join(folder, 'evidence.json');
    writeFileSync(file, altered('"EPERM"', '"EPERN"', `"id":"${barred}"`));
    const names = ['inventory.json', 'junit.xml', 'evidence.json'];
    writeFileSync(join(folder, 'manifest.json'), makeManifest(new Map(names.map((name) => [name, hashOf(join(folder, name))])), null));
    expect(differences(folder).join('\n')).to.include(`${barred}: the verdict stands as pass`);
  });
});
