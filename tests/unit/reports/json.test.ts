// evidence.json: schema 1, one entry a finding, the replies as the prober sent them.
import { expect } from 'chai';
import type { Reply } from '../../../lib/model.ts';
import { findingOf, flowEntry, jsonPieces, renderJson } from '../../../lib/reports/json.ts';
import { aFinding, anObservation, aRecord, passed, reached } from '../../fixtures/flows.ts';

type Entry = Readonly<Record<string, unknown>>;
type Evidence = Readonly<{ schema: number; run: Entry; flows: readonly Entry[]; controls: readonly Entry[] }>;

const replies: readonly Reply[] = [{ event: 'sent', try: 1, sourcePort: 40_001, ms: 0 }, { event: 'sent', try: 2, sourcePort: 40_002, ms: 150 }, { event: 'connected', try: 2, ms: 2.5 }];
const record = { ...aRecord([
  aFinding('joi -> ntp vmbr1 tcp/25', passed),
  aFinding('joi -> ntp vmbr1 tcp/26', reached, {}, { replies, outcome: { seen: 'answered', detail: 'TCP handshake', rttMs: 2.5 } }),
]), controls: [anObservation({ id: 'operator => 1.1.1.1 tcp/443' })] };
const text = renderJson(record);
const evidence = JSON.parse(text) as Evidence;
const [quiet, loud] = evidence.flows;

/** Schema 1 as DESIGN.md has it; a key may be added, none may go or change its name. */
const keys = ['id', 'from', 'to', 'address', 'network', 'proto', 'port', 'expected', 'row', 'verdict', 'reason', 'grade', 'outcome', 'attempts', 'rttMs', 'evidence', 'controls', 'backing', 'family', 'protocol', 'startedAt', 'durationMs', 'walls', 'sourcePort', 'by', 'ended', 'waiver'];

describe('json', () => {
  it('has the schema\'s parts', () => expect(evidence).to.include.keys('schema', 'run', 'flows', 'controls', 'takeover').and.include({ schema: 1 }));
  it('tells of the run', () => expect(evidence.run).to.include.keys('id', 'phase', 'startedAt', 'endedAt', 'inventoryHash', 'version', 'node', 'hosts', 'confined', 'universe', 'gaps', 'stopped', 'waivers', 'warnings'));
  it('has one entry a finding, in order', () => expect(evidence.flows.map(({ id }) => id)).to.deep.equal(record.findings.map(({ flow }) => flow.id)));
  it('has every key of the schema in each entry, null where there is nothing', () => {
    for (const entry of evidence.flows) expect(entry).to.include.keys(keys);
  });
  it('gives grade and controls of a pass', () => expect(quiet).to.deep.include({ verdict: 'pass', grade: 'proven', controls: ['sender', 'before', 'after'], rttMs: null, attempts: 0 }));
  it('gives no grade of a failure', () => expect(loud).to.deep.include({ verdict: 'fail', grade: null, reason: 'reached: TCP handshake' }));
  it('counts the tries, gives the time of the answer, keeps every reply', () => expect(loud).to.deep.include({ attempts: 2, rttMs: 2.5, evidence: replies }));
  it('keeps the operator\'s looks', () => expect(evidence.controls.map(({ id }) => id)).to.deep.equal(['operator => 1.1.1.1 tcp/443']));
  it('has a line for each cell, and no piece that is longer than a cell', () => {
    const pieces = [...jsonPieces(record)];
    expect(text.split('\n').filter((line) => line.startsWith('{"id":"joi -> ntp')).length).to.equal(2);
    expect(Math.max(...pieces.map((piece) => piece.split('\n{"id":').length - 1))).to.equal(1);
  });
  const full = { ...aFinding('joi -> ntp vmbr1 tcp/26', reached, { sourcePort: 53, ended: '2026-11-01', by: 'gateway' }, { replies, note: 'in sync', decisive: 1 }), waiver: { cells: '*', reason: 'known', acceptedBy: 'anna', until: '2027-01-31' } };
  for (const [sentence, finding] of [['of a pass with all that is optional left out', record.findings[0]], ['of a violation with all of it', full]] as const)
    it(`gives the finding back ${sentence}`, () => expect(finding === undefined ? null : findingOf(JSON.stringify(flowEntry(finding)))).to.deep.equal(finding));
  it('ends with a line end', () => expect(text.endsWith('}\n')).to.equal(true));
});
