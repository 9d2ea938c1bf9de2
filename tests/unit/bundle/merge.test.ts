// The shards of a run merged: cell for cell a whole run, whose every part can still be held to what its shard left; and refused where they are
// not one run.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { readParts } from '../../../lib/bundle/evidence.ts';
import { hashOf } from '../../../lib/bundle/hash.ts';
import { makeManifest } from '../../../lib/bundle/manifest.ts';
import { mergeRecords } from '../../../lib/bundle/merge.ts';
import { shardManifest } from '../../../lib/bundle/merged.ts';
import { recordOf, wholeRecordOf } from '../../../lib/bundle/record.ts';
import { verifyRun } from '../../../lib/bundle/runs.ts';
import { sha256 } from '../../../lib/hash.ts';
import type { Finding, RunRecord } from '../../../lib/model.ts';
import { makePlan } from '../../../lib/plan.ts';
import { renderJson } from '../../../lib/reports/json.ts';
import { renderJunit } from '../../../lib/reports/junit.ts';
import { exitCodeOf } from '../../../lib/reports/summary.ts';
import { writeReports } from '../../../lib/reports/write.ts';
import { select } from '../../../lib/select.ts';
import { ownSources, shardSelection } from '../../../lib/shard.ts';
import { judgedRecord, short } from '../../fixtures/judged.ts';
import { discovery, plan, shipped, token } from '../../fixtures/site.ts';

const clock = (offsetMs: number): RunRecord['run']['clock'] => ({ cell: 'mesh -> ntp vmbr1 udp/123', localTime: '2026-11-23T04:05:42.000Z', serverTime: '2026-11-23T04:05:42.000Z', offsetMs, withinMs: 2 });

function shardRecord(number: number, of: number, over: Partial<RunRecord['run']> = {}): RunRecord {
  const sources = ownSources(short, { number, of });
  const selection = shardSelection(short, { number, of });
  const part = select(makePlan({ inventory: short, discovery, phase: 'steady', newToken: token, sources }), selection);
  const startedAt = `2026-11-23T04:05:4${number}.000Z`;
  return judgedRecord(part.plan, part.flows, {
    id: '81-1', selection: selection.name, shard: { number, of, sources }, startedAt, endedAt: startedAt.replace('04:05', '04:06'), operator: `ci@runner-${number}`, clock: sources.length === 0 ? null : clock(number),
    loss: { roundTrips: 50, missed: number === 2 ? 1 : 0, atMost: number === 2 ? 0.1 : 0, tries: number === 2 ? 6 : 0, extraTries: number }, ...over,
  });
}
const three = [1, 2, 3].map((number) => shardRecord(number, 3));
const whole = judgedRecord(plan({ inventory: short }));
const told = ({ flow, verdict }: Finding): unknown => [flow.id, verdict];

describe('mergeRecords', () => {
  const merged = mergeRecords(three.toReversed());
  it('has every cell as a whole run has it, in its order', () => {
    expect(merged.findings.map(told)).to.deep.equal(whole.findings.map(told));
    expect(merged.run.universe).to.equal(whole.run.universe);
    expect(merged.run.gaps).to.deep.equal(whole.run.gaps);
    expect(exitCodeOf(merged)).to.equal(exitCodeOf(whole));
  });
  it('says of the run what its shards say of themselves, the worst of it where they differ', () => {
    expect(merged.run).to.deep.include({ id: '81-1', selection: null, shard: null, startedAt: '2026-11-23T04:05:41.000Z', endedAt: '2026-11-23T04:06:43.000Z', operator: 'ci@runner-1, ci@runner-2, ci@runner-3', stopped: null, clock: clock(3) });
    expect(merged.run.loss).to.deep.equal({ roundTrips: 150, missed: 1, atMost: 0.1, tries: 6, extraTries: 6 });
    expect(merged.run.shards?.map(({ number, sources }) => [number, ...sources])).to.deep.equal([[1, 'mesh', 'gateway'], [2, 'joi', 'operator'], [3, 'ntp']]);
  });
  it('leaves the decision windows to its shards, each of which has its own', () => {
    const windows = [{ from: 'joi', to: 'ntp', network: 'vmbr1', roundTripMs: 100, windowMs: 300 }];
    expect(mergeRecords(three.map((part) => ({ ...part, run: { ...part.run, windows } }))).run).to.not.have.property('windows');
  });
  it('was stopped where one of them was, and is no good run', () => {
    const stopped = mergeRecords(three.map((part, index) => (index === 1 ? { ...part, run: { ...part.run, stopped: 'stopped by SIGINT' } } : part)));
    expect(stopped.run.stopped).to.equal('shard 2/3: stopped by SIGINT');
    expect(exitCodeOf(stopped)).to.equal(1);
  });
  it('takes a shard that has no source for what it is', () => {
    const seven = mergeRecords([1, 2, 3, 4, 5, 6, 7].map((number) => shardRecord(number, 7)));
    expect(seven.findings.map(told)).to.deep.equal(whole.findings.map(told));
    expect(seven.run.clock, 'it has no clock, and needs none').to.deep.equal(clock(5));
    expect(() => mergeRecords([1, 2, 3, 4, 5, 6].map((number) => shardRecord(number, 7)))).to.throw('shard 7/7 is missing');
  });

  const again = (over: Partial<RunRecord['run']>): readonly RunRecord[] => [...three.slice(0, 2), shardRecord(3, 3, over)];
  const rows: readonly (readonly [sentence: string, parts: readonly RunRecord[], says: RegExp])[] = [
    ['one that is missing', three.slice(1), /^shard 1\/3 is missing$/],
    ['several that are missing', three.slice(2), /^shard 1\/3 is missing\nshard 2\/3 is missing$/],
    ['one that is there twice', [...three, shardRecord(2, 3)], /^shard 2\/3 is there 2 times$/],
    ['another run', again({ id: '81-2' }), /^the run id is not the same: shard 1\/3 has 81-1, shard 2\/3 has 81-1, shard 3\/3 has 81-2$/],
    ['another inventory', again({ inventoryHash: 'ab12' }), /^the inventory is not the same: .*shard 3\/3 has sha256:ab12$/],
    ['another document', again({ matrixHash: 'ab12' }), /^the document is not the same: .*has none, shard 3\/3 has sha256:ab12$/],
    ['another phase', again({ phase: 'setup' }), /^the phase is not the same: .*has steady, shard 3\/3 has setup$/],
    ['another version', again({ version: '0.2.0' }), /^the version of flowproof is not the same/],
    ['another number of shards', [...three.slice(0, 2), shardRecord(3, 4)], /^the number of shards is not the same/],
    ['sources that are not its own', again({ shard: { number: 3, of: 3, sources: ['joi'] } }), /^shard 3\/3 is about joi; by the inventory, its sources are ntp$/],
    ['a shard that says it has none', again({ shard: { number: 3, of: 3, sources: [] } }), /^shard 3\/3 is about nobody; by the inventory, its sources are ntp$/],
    ['a whole run', [...three, whole], /^5d9f0c3e-.*: the report of a whole run, not of a shard$/],
    ['nothing', [], /^no shard is there$/],
  ];
  for (const [sentence, parts, says] of rows) it(`refuses ${sentence}`, () => expect(() => mergeRecords(parts)).to.throw(says));
});

describe('a merged run on disk', () => {
  let parent = '';
  let folder = '';
  const merged = mergeRecords(three);
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
    const manifests = three.map((part, index) => [shardManifest(index + 1), makeManifest(new Map([['evidence.json', sha256(renderJson(part))]]), null)] as const);
    folder = writeReports(parent, '2026-11-23T04:07:00.000Z', merged, { 'inventory.json': shipped, ...Object.fromEntries(manifests) }).folder;
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));
  const text = (): string => readFileSync(join(folder, 'evidence.json'), 'utf8');
  /** Alters the evidence, and mends the merged run's manifest. */
  const alter = (from: string, to: string, after: string): string => {
    const place = text().indexOf(from, text().indexOf(after));
    expect(place, from).to.be.greaterThan(-1);
    writeFileSync(join(folder, 'evidence.json'), `${text().slice(0, place)}${to}${text().slice(place + from.length)}`);
    const names = Object.keys((JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as { files: Record<string, string> }).files);
    writeFileSync(join(folder, 'manifest.json'), makeManifest(new Map(names.map((name) => [name, hashOf(join(folder, name))])), null));
    return verifyRun(folder, null).differences.join('\n');
  };

  it('is as it was left, and every verdict comes out again', () => expect(verifyRun(folder, null).differences).to.deep.equal([]));
  it('has each shard\'s evidence in it, byte for byte', () => expect(readParts(text(), 'evidence.json').parts.map((part) => renderJson(recordOf(part)))).to.deep.equal(three.map(renderJson)));
  it('can be rendered again, byte for byte', () => {
    const record = wholeRecordOf(readParts(text(), 'evidence.json'));
    expect(renderJson(record)).to.equal(text());
    expect(renderJunit(record)).to.equal(readFileSync(join(folder, 'junit.xml'), 'utf8'));
  });
  const barred = three.flatMap(({ findings }) => findings).find(({ observation }) => observation.outcome.seen === 'barred')?.flow.id ?? '';
  it('shows a byte of one reply altered, by shard and cell, though the manifest was mended', () => {
    const said = alter('"EPERM"', '"EPERN"', `"id":"${barred}"`);
    expect(said).to.include('shard 3/3: its evidence is not what shard-3.manifest.json has the SHA-256 of').and.include(`shard 3/3: ${barred}: the verdict stands as pass`).and.not.include('shard 2/3');
  });
  it('shows what was altered of the whole alone', () => expect(alter('"endedAt":"2026', '"endedAt":"2027', '"run"')).to.equal('evidence.json: not what its shards make when they are merged'));
  it('shows a cell that was taken out', () => {
    const json = JSON.parse(text()) as { flows: unknown[] };
    json.flows.splice(3, 1);
    writeFileSync(join(folder, 'evidence.json'), JSON.stringify(json));
    expect(verifyRun(folder, null).differences.join('\n')).to.match(/shard 1\/3: \d+ cells stand in the file; the plan has \d+/);
  });
  it('shows a shard\'s manifest that is gone', () => {
    rmSync(join(folder, shardManifest(2)));
    expect(verifyRun(folder, null).differences).to.include('shard-2.manifest.json: not there; nothing holds shard 2/3 to what it left');
  });
});
