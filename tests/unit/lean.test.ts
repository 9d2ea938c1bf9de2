// What is kept of a pass: all that any report asks of all findings at once.
import { expect } from 'chai';
import fc from 'fast-check';
import { leaning } from '../../lib/lean.ts';
import type { Control, Finding, Outcome, RunRecord, Verdict, Wall, Witness } from '../../lib/model.ts';
import { renderConsole } from '../../lib/reports/console.ts';
import { assessorPart } from '../../lib/reports/html/assessor.ts';
import { heatMap } from '../../lib/reports/html/heat.ts';
import { topology } from '../../lib/reports/html/topology.ts';
import { verdictPieces } from '../../lib/reports/verdicts.ts';
import { aBacking, aFlow, anObservation, aRecord, aWitness, failed, held } from '../fixtures/flows.ts';

const outcomes: readonly Outcome[] = [{ seen: 'silent' }, { seen: 'barred', detail: 'EPERM' }, { seen: 'refused', by: 'rst' }, { seen: 'absent', detail: 'none' }, { seen: 'no path', detail: 'none' }, { seen: 'answered', detail: 'it spoke', rttMs: 1 }];
const verdicts: readonly Verdict[] = [
  ...(['proven', 'inferred', 'no path'] as const).map((grade): Verdict => ({ result: 'pass', grade, reason: `stopped, ${grade}`, controls: ['a'] })),
  { result: 'fail', reason: 'reached: a handshake', controls: [] }, { result: 'fail', reason: 'open to who takes the machine over: past its own firewall', controls: ['a'] },
  { result: 'inconclusive', reason: 'control missing: joi -> ntp vmbr1 tcp/25', controls: ['a'] },
];
const near: readonly (Control | null)[] = [null, held('near'), failed('near')];
const left: readonly (Witness | null)[] = [null, aWitness(), aWitness({ saw: 'it has it' }), aWitness({ before: failed('before') }), aWitness({ after: failed('after') })];
const wall = (stands: boolean | null, looked: boolean): Wall => ({ stands, grade: null, reason: 'silent', controls: ['b'], observation: looked ? anObservation() : null });
const told = [true, false, null] as const;
const walls: readonly (readonly [Wall, Wall] | null)[] = [null, ...told.flatMap((own) => told.flatMap((far) => [true, false].map((looked) => [wall(own, true), wall(far, looked)] as const)))];

const finding = fc.record({
  from: fc.constantFrom('joi', 'mesh'), to: fc.constantFrom('ntp', 'mesh', '1.1.1.1'), port: fc.constantFrom(22, 25, 80, 443), expected: fc.constantFrom('denied' as const, 'denied' as const, 'allowed' as const),
  outcome: fc.constantFrom(...outcomes), verdict: fc.constantFrom(...verdicts), near: fc.constantFrom(...near), left: fc.constantFrom(...left), walls: fc.constantFrom(...walls),
}).map((one): Finding => {
  const { from, to, port, expected, outcome, verdict } = one;
  const id = `${from} -> ${to} tcp/${port}`;
  return {
    flow: aFlow({ id, from, to, port, expected, row: expected === 'allowed' ? 'a row' : 'everything else' }), verdict, waiver: null, observation: anObservation({ id, vantage: from, outcome }),
    backing: aBacking({ near: one.near, left: one.left, sender: held('sender'), witnesses: [aWitness()] }), walls: one.walls === null ? null : { near: one.walls[0], far: one.walls[1] },
  };
});

describe('lean findings', () => {
  it('make the same of all that is told of a run, as the whole ones do', () =>
    fc.assert(fc.property(fc.array(finding, { minLength: 1, maxLength: 60 }), (findings) => {
      const whole = aRecord(findings, { confined: ['joi'] });
      const lean: RunRecord = { ...whole, findings: findings.map(leaning()) };
      for (const tell of [(record: RunRecord) => renderConsole(record), assessorPart, heatMap, topology, (record: RunRecord) => [...verdictPieces(record)].join('')]) expect(tell(lean)).to.equal(tell(whole));
    }), { numRuns: 300 }));
  it('say what the source\'s own firewall did, each of its own, and hold nothing else of a pass', () =>
    fc.assert(fc.property(fc.array(finding, { minLength: 1, maxLength: 60 }), (findings) => {
      const lean = leaning();
      const own = ({ backing }: Finding): unknown => [backing.near?.held, backing.left?.before.held, backing.left?.after.held, backing.left === null, backing.left?.saw === null];
      for (const one of findings) {
        const kept = lean(one);
        expect(own(kept)).to.deep.equal(own(one));
        if (one.verdict.result === 'pass') expect([kept.verdict.controls, kept.observation.replies, kept.backing.witnesses, kept.backing.sender]).to.deep.equal([[], [], [], null]);
        else expect(kept).to.equal(one);
      }
    })));
});
