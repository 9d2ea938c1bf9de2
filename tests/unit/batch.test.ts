// A run in batches: what is put together from the disk is byte for byte what a run held whole would have left.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { inBatches, type Batch, type Part } from '../../lib/batch.ts';
import { batchesIn, recordIn, textsOf } from '../../lib/bundle/batched.ts';
import { readParts } from '../../lib/bundle/evidence.ts';
import { hashOf } from '../../lib/bundle/hash.ts';
import { makeManifest } from '../../lib/bundle/manifest.ts';
import { mergeRecords } from '../../lib/bundle/merge.ts';
import { wholeRecordOf } from '../../lib/bundle/record.ts';
import { verifyRun } from '../../lib/bundle/runs.ts';
import type { Finding, Inventory, RunRecord, Waiver } from '../../lib/model.ts';
import { makePlan } from '../../lib/plan.ts';
import { renderConsole } from '../../lib/reports/console.ts';
import { htmlFile } from '../../lib/reports/html/file.ts';
import { jsonPieces, renderJson } from '../../lib/reports/json.ts';
import { renderJunit } from '../../lib/reports/junit.ts';
import { exitCodeOf } from '../../lib/reports/summary.ts';
import { verdictPieces } from '../../lib/reports/verdicts.ts';
import { writeReports } from '../../lib/reports/write.ts';
import { select } from '../../lib/select.ts';
import { batchSelection, ownSources, sourcesOf } from '../../lib/shard.ts';
import { makeSteps } from '../../lib/steps.ts';
import { applyWaivers } from '../../lib/waivers.ts';
import { judgedRecord, short } from '../fixtures/judged.ts';
import { discovery, plan, token } from '../fixtures/site.ts';

const waiver = (cells: string, until: string): Waiver => ({ cells, reason: 'known', acceptedBy: 'anna', until });
const inventory: Inventory = { ...short, waivers: [waiver('mesh -> *', '2027-01-31'), waiver('ntp -> * tcp/*', '2027-01-31'), waiver('joi -> nobody', '2027-01-31'), waiver('joi -> *', '2020-01-31')] };
const cells = plan({ inventory }).flows.length;

type Conduct = (part: Part) => RunRecord;
const judged: Conduct = ({ plan: own, flows, selection, shard }) => {
  const number = shard?.number ?? 0;
  const record = judgedRecord(own, flows, {
    selection, shard, confined: ['joi'], endedAt: `2026-11-23T04:06:0${number}.000Z`, steps: [{ name: 'look', ms: 100 }],
    clock: number === 2 ? null : { cell: 'a', localTime: '2026-11-23T04:05:42.000Z', serverTime: '2026-11-23T04:05:42.000Z', offsetMs: number, withinMs: 10 - number },
  });
  const { findings, uses } = applyWaivers(record.findings, inventory.waivers ?? [], '2026-11-23');
  return { ...record, findings, run: { ...record.run, waivers: uses }, ...(record.account === undefined ? {} : { account: { ...record.account, inventory } }) };
};
/** Some that got in, end to end and past their own firewall, so that causes and takeover lines have something to tell; no judge would say so. */
const withHoles: Conduct = (part) => {
  const record = judged(part);
  const opened = (finding: Finding, index: number): Finding => {
    if (index % 5 !== 0 || finding.walls === null || finding.waiver !== null) return finding;
    return { ...finding, verdict: { result: 'fail', reason: 'reached: a handshake "&\u0001"', controls: [] }, walls: { ...finding.walls, far: { ...finding.walls.far, stands: false } }, observation: { ...finding.observation, outcome: { seen: 'answered', detail: 'é → ü', rttMs: 1.25 } } };
  };
  return { ...record, findings: record.findings.map(opened) };
};

type Ran = Readonly<{ batches: readonly Batch[]; record: Promise<RunRecord>; whole: readonly RunRecord[]; events: readonly string[] }>;

describe('a run in batches', () => {
  let reports = '';
  beforeEach(() => (reports = mkdtempSync(join(tmpdir(), 'flowproof-unit-'))));
  afterEach(() => rmSync(reports, { recursive: true, force: true }));
  const spools = (): readonly string[] => readdirSync(reports).filter((name) => name.startsWith('.spool-'));
  const written = (): number => spools().flatMap((name) => readdirSync(join(reports, name))).filter((name) => name.startsWith('batch-')).length;

  const begin = (conduct: Conduct, into = reports): Ran => {
    const whole: RunRecord[] = [];
    const events: string[] = [];
    const { batches, record } = inBatches({ inventory, discovery, phase: 'steady', newToken: token }, {
      cells, each: Math.ceil(cells / 3), reports: into, steps: makeSteps(), over: () => void events.push('over'),
      planned: () => void events.push(`planned, ${written()} written`),
      conduct: (part) => {
        whole.push(conduct(part));
        return Promise.resolve(whole.at(-1) as RunRecord);
      },
    });
    return { batches, record, whole, events };
  };

  it('plans the next one when the one before is on the disk', async () => {
    const { batches, record, events } = begin(judged);
    await record;
    expect(events).to.deep.equal(['planned, 0 written', 'planned, 1 written', 'planned, 2 written', 'over']);
    expect(batches.flatMap(({ sources }) => sources).toSorted()).to.deep.equal([...sourcesOf(inventory)].toSorted());
  });
  it('tells each batch by itself', async () => {
    const { batches, record, whole } = begin(judged);
    await record;
    const told = await Promise.all(batches.map(({ findings }) => findings));
    expect(told.map((own) => own.map(({ flow, verdict, waiver: by }) => [flow.id, verdict.result, by]))).to.deep.equal(whole.map(({ findings }) => findings.map(({ flow, verdict, waiver: by }) => [flow.id, verdict.result, by])));
  });
  it('keeps of what passed no reply and no plan, and of what did not all', async () => {
    const { record, whole } = begin(withHoles);
    const { findings } = await record;
    const passes = findings.filter(({ verdict }) => verdict.result === 'pass');
    expect(passes).to.have.length.greaterThan(5);
    expect(passes.every(({ observation, backing, verdict }) => observation.replies.length === 0 && backing.witnesses.length === 0 && verdict.controls.length === 0)).to.equal(true);
    expect(new Set(passes.map(({ backing }) => backing)).size).to.be.lessThan(4);
    const red = whole.flatMap((part) => part.findings).filter(({ verdict }) => verdict.result !== 'pass');
    expect(findings.filter(({ verdict }) => verdict.result !== 'pass')).to.have.members(red);
  });

  for (const [sentence, conduct] of [['without holes', judged], ['with holes', withHoles]] as const)
    it(`leaves ${sentence} the bytes of a run held whole`, async () => {
      const { record, whole } = begin(conduct);
      const spooled = await record;
      const held = mergeRecords(whole, undefined, 'batches');
      expect([...jsonPieces(spooled)].join('')).to.equal(renderJson(held));
      expect(renderJunit(spooled)).to.equal(renderJunit(held));
      expect([...verdictPieces(spooled)].join('')).to.equal([...verdictPieces(held)].join(''));
      expect(renderConsole(spooled)).to.equal(renderConsole(held));
      expect(htmlFile(spooled, null)).to.equal(htmlFile(held, null));
      expect(held.run.waivers.map(({ state }) => state)).to.include.members(['waives', 'unknown', 'expired']);
      expect(renderConsole(held)).to.include('if joi is taken over as root').and.include('WAIVED');
    });
  it('is one machine\'s run: no shards, one clock, and its steps together', async () => {
    const { run } = await begin(judged).record;
    expect(run).to.deep.include({ shards: null, shard: null, selection: null, stopped: null, endedAt: '2026-11-23T04:06:03.000Z', steps: [{ name: 'look', ms: 300 }], universe: plan({ inventory }).universe, gaps: plan({ inventory }).gaps });
    expect(run.clock?.withinMs).to.equal(7);
  });
  it('is on the disk what the run left, can be judged again and rendered again', async () => {
    const spooled = await begin(judged).record;
    const { folder, faults } = writeReports(reports, '2026-11-23T04:07:00.000Z', spooled);
    spooled.spooled?.remove();
    expect(faults).to.deep.equal([]);
    expect(spools()).to.deep.equal([]);
    expect(verifyRun(folder, null).differences).to.deep.equal([]);
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const again = wholeRecordOf(readParts(read('evidence.json'), 'evidence.json'));
    expect(renderJson(again)).to.equal(read('evidence.json'));
    expect(renderJunit(again)).to.equal(read('junit.xml'));
    expect([...verdictPieces(again)].join('')).to.equal(read('verdicts.json'));
    expect(htmlFile(again, null)).to.equal(read('report.html'));
  });
  it('is read back a batch at a time, as each would have left its own evidence', async () => {
    const { record, whole } = begin(judged);
    const { folder } = writeReports(reports, '2026-11-23T04:07:00.000Z', await record);
    const batches = batchesIn(join(folder, 'evidence.json'));
    expect(batches === null ? [] : [...textsOf(batches)]).to.deep.equal(whole.map(renderJson));
    const again = batches === null ? null : recordIn(batches, reports, 'evidence.json');
    expect([...jsonPieces(again as RunRecord)].join('')).to.equal(readFileSync(join(folder, 'evidence.json'), 'utf8'));
    expect(renderJunit(again as RunRecord)).to.equal(readFileSync(join(folder, 'junit.xml'), 'utf8'));
    expect(htmlFile(again as RunRecord, null)).to.equal(readFileSync(join(folder, 'report.html'), 'utf8'));
  });
  it('is told from other evidence', () => {
    const file = join(reports, 'evidence.json');
    const parts = [1, 2, 3].map((number) => {
      const sources = ownSources(inventory, { number, of: 3 });
      const { plan: own, flows } = select(makePlan({ inventory, discovery, phase: 'steady', newToken: token, sources }), batchSelection(inventory, { number, of: 3 }));
      return judged({ plan: own, flows, selection: 'a part', shard: { number, of: 3, sources } });
    });
    const isBatched = (text: string): boolean => {
      writeFileSync(file, text);
      return batchesIn(file) !== null;
    };
    const text = renderJson(mergeRecords(parts, undefined, 'batches'));
    expect(isBatched(text)).to.equal(true);
    expect([renderJson(mergeRecords(parts)), renderJson(judgedRecord(plan({ inventory }))), JSON.stringify(JSON.parse(text)), '', '{}', text.slice(0, text.length / 3)].map(isBatched)).to.deep.equal([false, false, false, false, false, false]);
  });
  describe('altered, though the manifest was mended, says where:', () => {
    const barred = (text: string): number => text.indexOf('"EPERM"');
    const failing = (text: string): number => text.indexOf('"verdict":"fail"');
    const rows: readonly (readonly [sentence: string, change: (text: string) => string, says: RegExp])[] = [
      ['a verdict', (text) => `${text.slice(0, failing(text))}"verdict":"pass"${text.slice(failing(text) + 16)}`, /^batch \d\/3: .*: the verdict stands as pass .* judged again it is fail/],
      ['a reply', (text) => `${text.slice(0, barred(text))}"EPERN"${text.slice(barred(text) + 7)}`, /^batch \d\/3: ntp -> .*: the outcome stands as barred/],
      ['a space within a line', (text) => text.replace('"controls":[', '"controls": ['), /./],
      ['the whole\'s own words', (text) => text.replace(/"endedAt":"2026/, '"endedAt":"2027'), /^evidence.json: not what its batches make when they are merged$/],
      ['a cell taken out', (text) => text.replace(/\n\{"id":"mesh -> .*,\n/, '\n'), /^batch 1\/3: \d+ cells stand in the file; the plan has \d+/],
      ['a batch taken out', (text) => `${text.slice(0, text.lastIndexOf(',\n{"run":'))}]}\n`, /batch 3\/3 is missing|batch 3 is missing/],
      ['two sources that changed places', (text) => {
        const own = (source: string): string => (text.match(new RegExp(`(?:\\{"id":"[^\n]*","from":"${source}"[^\n]*,\n)+`)) ?? [''])[0] ?? '';
        return text.replace(own('joi'), '\u0001').replace(own('mesh'), () => own('joi')).replace('\u0001', () => own('mesh'));
      }, /^evidence.json: not what its batches make when they are merged$/],
      ['what stands between cells and batches', (text) => text.replace('"account":null,\n"parts"', '"account":{},\n"parts"'), /^evidence.json: not what its batches make when they are merged$/],
      ['its end cut off', (text) => text.slice(0, -2_000), /./],
    ];
    for (const [sentence, change, says] of rows)
      it(sentence, async () => {
        const { folder } = writeReports(reports, '2026-11-23T04:07:00.000Z', await begin(judged).record);
        const text = readFileSync(join(folder, 'evidence.json'), 'utf8');
        expect(change(text)).to.not.equal(text);
        writeFileSync(join(folder, 'evidence.json'), change(text));
        writeFileSync(join(folder, 'manifest.json'), makeManifest(new Map(readdirSync(folder).filter((name) => name !== 'manifest.json').map((name) => [name, hashOf(join(folder, name))])), null));
        expect(verifyRun(folder, null).differences.filter((line) => !line.startsWith('verdicts.json')).join('\n')).to.match(says);
      });
  });
  it('has verdicts.json held to it, cell for cell', async () => {
    const { folder } = writeReports(reports, '2026-11-23T04:07:00.000Z', await begin(judged).record);
    const file = join(folder, 'verdicts.json');
    const text = readFileSync(file, 'utf8');
    for (const altered of [text.replace('"verdict":"fail"', '"verdict":"pass"'), text.replace(/\n(\{"id":.*\}),\n/, '\n$1,\n$1,\n').replace('"id":"', '"id":"another '), text.replace(/\n\{"id":.*\},\n/, '\n')]) {
      writeFileSync(file, altered);
      expect(verifyRun(folder, null).differences).to.include('verdicts.json: not the verdicts that are in evidence.json');
    }
  });
  it('that was interrupted has every cell, and says why once', async () => {
    const { record, whole } = begin((part) => {
      const one = judged(part);
      if (part.shard?.number === 1) return one;
      const late = (finding: Finding): Finding => ({ ...finding, verdict: { result: 'inconclusive', reason: 'could not look (interrupted): stopped by SIGINT', controls: [] }, waiver: null, observation: { ...finding.observation, replies: [], outcome: { seen: 'unprobed', failure: { operation: 'interrupted', cause: 'stopped by SIGINT' } } } });
      return { ...one, run: { ...one.run, stopped: 'stopped by SIGINT' }, findings: one.findings.map(late) };
    });
    const stopped = await record;
    expect(stopped.run.stopped).to.equal('stopped by SIGINT');
    expect(stopped.findings).to.have.length(cells);
    expect(exitCodeOf(stopped)).to.equal(1);
    expect(renderJunit(stopped)).to.equal(renderJunit(mergeRecords(whole, undefined, 'batches')));
  });
  it('ends where a batch cannot be written down: nothing more is looked at, and the disk has its room again', async () => {
    const { batches, record, events } = begin((part) => {
      // A file that cannot be written, also for root: there is a folder of its name.
      if (part.shard?.number === 2) for (const name of spools()) mkdirSync(join(reports, name, 'batch-1'));
      return judged(part);
    });
    const fault = await record.catch((error: Error) => error.message);
    expect(fault).to.match(/^batch 2 of 3 cannot be written down, so nothing more was looked at: EISDIR.*run again$/);
    expect(events).to.deep.equal(['planned, 0 written', 'planned, 1 written', 'over']);
    expect(spools()).to.deep.equal([]);
    expect((await batches[0]?.findings)?.length).to.be.greaterThan(0);
    expect(await Promise.all(batches.slice(1).map(({ findings }) => findings.catch((error: Error) => error.message)))).to.deep.equal([fault, fault]);
  });
  it('does not begin where there is no room for the first byte', () => {
    writeFileSync(join(reports, 'file'), '');
    expect(() => begin(judged, join(reports, 'file', 'reports'))).to.throw(/ENOTDIR/);
  });
});
