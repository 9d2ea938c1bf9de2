// Reports on disk: whole or not there, the link to the latest, and a fault of one that stops no other.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { writeFault, writeReports } from '../../../lib/reports/write.ts';
import { aFinding, aRecord, passed } from '../../fixtures/flows.ts';

const startedAt = '2026-11-23T04:05:41.744Z';
const folderName = '2026-11-23T04-05-41-744Z';
const record = aRecord([aFinding('joi -> ntp vmbr1 tcp/25', passed)]);

describe('write', () => {
  let parent = '';
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'flowproof-unit-'));
  });
  afterEach(() => rmSync(parent, { recursive: true, force: true }));
  const inside = (name: string): readonly string[] => readdirSync(join(parent, name)).toSorted();

  it('puts both reports into a folder named by the time, and nothing half-written beside them', () => {
    expect(writeReports(parent, startedAt, record)).to.deep.equal({ folder: join(parent, folderName), faults: [] });
    expect(inside(folderName)).to.deep.equal(['evidence.json', 'junit.xml', 'manifest.json', 'report.html', 'verdicts.json']);
    expect(readdirSync(parent).toSorted()).to.deep.equal([folderName, 'latest']);
  });
  it('points latest to it, also where it pointed elsewhere', () => {
    writeReports(parent, '2026-11-22T00:00:00.000Z', record);
    writeReports(parent, startedAt, record);
    expect(readlinkSync(join(parent, 'latest'))).to.equal(folderName);
    expect(readFileSync(join(parent, 'latest', 'junit.xml'), 'utf8')).to.include('joi -> ntp vmbr1 tcp/25'.replace('>', '&gt;'));
  });
  it('holds a run against the last one of the same phase and the same cells', () => {
    const since = (startedAtOther: string, over: Parameters<typeof aRecord>[1] = {}): string | undefined => {
      const { folder } = writeReports(parent, startedAtOther, aRecord([aFinding('joi -> ntp vmbr1 tcp/25', passed)], over));
      return /<h2>What changed<\/h2><p>(.*?)\.?<\/p>/.exec(readFileSync(join(folder, 'report.html'), 'utf8'))?.[1];
    };
    expect(since('2026-11-20T00:00:00.000Z')).to.match(/^Nothing to compare with/);
    expect(since('2026-11-21T00:00:00.000Z', { phase: 'setup' })).to.match(/^Nothing to compare with/);
    expect(since('2026-11-22T00:00:00.000Z', { selection: '--grep joi' })).to.match(/^Nothing to compare with/);
    writeFault(parent, '2026-11-22T12:00:00.000Z', 'the inventory is valid', 'it is not');
    expect(since('2026-11-23T00:00:00.000Z')).to.equal('No verdict has changed since 2026-11-20T00-00-00-000Z');
    writeFileSync(join(parent, '2026-11-23T00-00-00-000Z', 'verdicts.json'), '{"schema":1,"flo');
    expect(since('2026-11-24T00:00:00.000Z'), 'one cut in half').to.equal('No verdict has changed since 2026-11-20T00-00-00-000Z');
  });
  it('makes the parent where it is not there', () => expect(writeReports(join(parent, 'a', 'b'), startedAt, record).faults).to.deep.equal([]));
  it('reports a folder that cannot be made, and does not throw', () => {
    writeFileSync(join(parent, 'file'), '');
    const { faults } = writeReports(join(parent, 'file'), startedAt, record);
    expect(faults.join('\n')).to.include('junit.xml').and.include('evidence.json').and.include('ENOTDIR');
  });
  it('writes one report though the other cannot be', () => {
    for (const [blocked, other] of [['junit.xml', 'evidence.json'], ['evidence.json', 'junit.xml']] as const) {
      rmSync(join(parent, folderName), { recursive: true, force: true });
      mkdirSync(join(parent, folderName, blocked), { recursive: true });
      const { faults } = writeReports(parent, startedAt, record);
      expect(faults, blocked).to.have.length(1);
      expect(faults[0]).to.include(blocked);
      expect(inside(folderName), 'nothing half-written').to.deep.equal(['evidence.json', 'junit.xml', 'report.html', 'verdicts.json']);
      expect(readFileSync(join(parent, folderName, other), 'utf8')).to.include('tcp/25');
    }
  });
  it('reports a latest that is no link, and writes all the same', () => {
    mkdirSync(join(parent, 'latest', 'mine'), { recursive: true });
    const { faults } = writeReports(parent, startedAt, record);
    expect(faults).to.have.length(1);
    expect(inside(folderName)).to.deep.equal(['evidence.json', 'junit.xml', 'manifest.json', 'report.html', 'verdicts.json']);
    expect(inside('latest'), 'somebody else\'s folder').to.deep.equal(['mine']);
  });
  it('leaves no temporary link behind where latest could not be set', () => {
    mkdirSync(join(parent, 'latest', 'mine'), { recursive: true });
    writeReports(parent, startedAt, record);
    expect(readdirSync(parent).toSorted()).to.deep.equal([folderName, 'latest']);
  });
  it('writes both reports for a run that came to nothing', () => {
    writeFault(parent, startedAt, 'the run starts', 'site.json: 1 mistake');
    expect(readFileSync(join(parent, 'latest', 'junit.xml'), 'utf8')).to.include('errors="1"');
    expect(JSON.parse(readFileSync(join(parent, 'latest', 'evidence.json'), 'utf8'))).to.deep.equal({ schema: 1, run: { startedAt, fault: 'site.json: 1 mistake' }, flows: [] });
  });
});
