// Waivers: which violations they excuse and until when, and what is told of those that excuse none.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Waiver } from '../../lib/model.ts';
import { applyWaivers, fits } from '../../lib/waivers.ts';
import { aFinding, passed, reached, untold } from '../fixtures/flows.ts';

const today = '2026-11-25';
const aWaiver = (over: Partial<Waiver> = {}): Waiver => ({ cells: 'joi -> ntp vmbr1 tcp/2*', reason: 'until the new switch is in', acceptedBy: 'A. Person', until: '2026-12-31', ...over });
const findings = [aFinding('joi -> ntp vmbr1 tcp/25', passed), aFinding('joi -> ntp vmbr1 tcp/26', reached), aFinding('joi -> ntp vmbr1 tcp/27', untold), aFinding('joi -> ntp vmbr1 tcp/80', reached)];
const waived = (waivers: readonly Waiver[], day = today): readonly string[] => applyWaivers(findings, waivers, day).findings.filter(({ waiver }) => waiver !== null).map(({ flow }) => flow.id);

describe('waivers: a violation', () => {
  it('that one names has it, and stays a violation', () => {
    const [, violation] = applyWaivers(findings, [aWaiver()], today).findings;
    expect(violation).to.deep.equal({ ...findings[1], waiver: aWaiver() });
    expect(violation?.verdict.result).to.equal('fail');
  });
  it('alone is waived: neither what passed, nor what could not be told', () => expect(waived([aWaiver()])).to.deep.equal(['joi -> ntp vmbr1 tcp/26']));
  it('that none names has none', () => expect(waived([aWaiver({ cells: 'mesh -> *' })])).to.deep.equal([]));
  it('that two name has the first that is in force', () => {
    const [old, first, second] = [aWaiver({ until: '2026-11-24' }), aWaiver({ reason: 'first' }), aWaiver({ reason: 'second' })];
    expect(applyWaivers(findings, [old, first, second], today).findings[1]?.waiver).to.deep.equal(first);
  });
  const days: readonly (readonly [sentence: string, until: string, isWaived: boolean])[] = [['before its last day', '2026-11-26', true], ['on its last day', '2026-11-25', true], ['on the day after', '2026-11-24', false], ['a year after', '2025-12-31', false]];
  for (const [sentence, until, isWaived] of days) it(`${sentence} is ${isWaived ? '' : 'not '}waived`, () => expect(waived([aWaiver({ until })])).to.have.length(isWaived ? 1 : 0));
  it('keeps its place, and every finding stays', () => expect(applyWaivers(findings, [aWaiver()], today).findings.map(({ flow }) => flow.id)).to.deep.equal(findings.map(({ flow }) => flow.id)));
});

describe('waivers: what became of one', () => {
  const rows: readonly (readonly [sentence: string, waiver: Partial<Waiver>, use: object])[] = [
    ['it waives', {}, { state: 'waives', cellCount: 3, violations: ['joi -> ntp vmbr1 tcp/26'] }],
    ['it waives what another waives, too', { cells: '*tcp/26' }, { state: 'waives', cellCount: 1 }],
    ['it is stale: its cells pass', { cells: 'joi -> ntp vmbr1 tcp/25' }, { state: 'stale', cellCount: 1, violations: [] }],
    ['it is not stale where a cell could not be told', { cells: 'joi -> ntp vmbr1 tcp/27' }, { state: 'unsettled', cellCount: 1, violations: [] }],
    ['it names no cell', { cells: 'joi -> ntp vmbr1 tcp/250' }, { state: 'unknown', cellCount: 0, violations: [] }],
    ['it is over, and what it named fails again', { until: '2026-11-24' }, { state: 'expired', cellCount: 3, violations: ['joi -> ntp vmbr1 tcp/26'] }],
    ['it is over, and nothing of it fails', { until: '2026-11-24', cells: 'joi -> ntp vmbr1 tcp/25' }, { state: 'expired', cellCount: 1, violations: [] }],
  ];
  for (const [sentence, waiver, use] of rows) it(sentence, () => expect(applyWaivers(findings, [aWaiver(), aWaiver(waiver)], today).uses[1]).to.deep.include({ ...aWaiver(waiver), ...use }));
});

describe('waivers: a pattern', () => {
  const rows: readonly (readonly [pattern: string, id: string, isFit: boolean])[] = [
    ['joi -> ntp vmbr1 tcp/2', 'joi -> ntp vmbr1 tcp/22', false], ['oi -> ntp vmbr1 tcp/22', 'joi -> ntp vmbr1 tcp/22', false], ['joi -> ntp vmbr1 tcp/22', 'joi -> ntp vmbr1 tcp/22', true],
    ['joi -> *', 'joi -> ntp vmbr1 tcp/22', true], ['*tcp/22', 'joi -> ntp vmbr1 tcp/22', true], ['joi*ntp*/22', 'joi -> ntp vmbr1 tcp/22', true], ['joi*ntp*/2', 'joi -> ntp vmbr1 tcp/22', false],
    ['joi*ntp*ntp*', 'joi -> ntp vmbr1 tcp/22', false], ['ab*ba', 'aba', false], ['ab*ba', 'abba', true], ['a*', 'a', true],
    ['joi -> 1.1.1.1 tcp/53', 'joi -> 1x1.1.1 tcp/53', false], ['joi -> (a|b)', 'joi -> a', false], ['j?i', 'joi', false],
  ];
  for (const [pattern, id, isFit] of rows) it(`${pattern} ${isFit ? 'fits' : 'does not fit'} ${id}`, () => expect(fits(pattern, id)).to.equal(isFit));
  it('fits what it was made of, whatever was starred out', () =>
    fc.assert(fc.property(fc.array(fc.string(), { minLength: 1, maxLength: 6 }), fc.infiniteStream(fc.string()), (parts, fill) => {
      const plain = parts.map((part) => part.replaceAll('*', ''));
      expect(fits(plain.join('*'), plain.reduce((id, part, index) => (index === 0 ? part : id + (fill.next().value ?? '') + part), ''))).to.equal(true);
    })));
  it('of many stars takes no longer than its letters', () => expect(fits(`${'*a'.repeat(140)}*b`, 'a'.repeat(300))).to.equal(false));
});
