// The owner's first question, answered in one line a host.
import { expect } from 'chai';
import type { Finding, RunRecord, Walls } from '../../../lib/model.ts';
import { takeoverLines } from '../../../lib/reports/takeover.ts';
import { aFinding, anObservation, aRecord, passed, reached } from '../../fixtures/flows.ts';

const walls = (near: boolean | null, far: boolean | null, looked = true): Walls => {
  const wall = (stands: boolean | null): Walls['far'] => ({ stands, grade: null, reason: '', controls: [], observation: looked ? anObservation() : null });
  return { near: wall(near), far: wall(far) };
};
const finding = (id: string, given: Walls | null, over: Partial<Finding> = {}): Finding => ({ ...aFinding(id, passed), walls: given, ...over });
const lines = (findings: readonly Finding[], over: Partial<RunRecord['run']> = {}): readonly string[] => takeoverLines(aRecord(findings, { confined: ['joi'], ...over }));

describe('takeover', () => {
  it('reaches nothing where every far wall stands', () =>
    expect(lines([finding('joi -> a tcp/1', walls(true, true)), finding('joi -> b tcp/1', walls(false, true))])).to.deep.equal([
      'if joi is taken over as root, it can reach: nothing that is denied (of 2 looked at past its own firewall, others stop 2, 0 could not be told; its own firewall lets 1 of them out)',
    ]));
  it('names what it reaches, five at most', () => {
    const open = Array.from({ length: 7 }, (_none, index) => finding(`joi -> a tcp/${index}`, walls(true, false)));
    expect(lines(open)[0]).to.match(/it can reach: 7 denied flows: a tcp\/0, a tcp\/1, a tcp\/2, a tcp\/3, a tcp\/4, … \(of 7/);
  });
  it('counts a neighbour that forwards', () => {
    const by = aFinding('joi -> a tcp/443 by mesh', reached, { family: 'another way' });
    expect(lines([finding('joi -> b tcp/1', walls(true, true)), by])[0]).to.match(/1 denied flows: a tcp\/443 by mesh \(of 2/);
  });
  it('counts what could not be told, and never calls it stopped', () => expect(lines([finding('joi -> a tcp/1', walls(true, true)), finding('joi -> b tcp/1', walls(true, null))])[0]).to.match(/others stop 1, 1 could not be told/));
  it('is not told where nothing was', () => expect(lines([finding('joi -> a tcp/1', walls(true, null))])[0]).to.match(/it can reach: not told/));
  it('says of a confined host that nothing was sent past its own firewall', () => expect(lines([finding('joi -> a tcp/1', null)])).to.deep.equal(['if joi is taken over as root: not told, since nothing was sent past its own firewall (that needs python3 and root there)']));
  it('says nothing of hosts that are neither confined nor looked at', () => expect(lines([finding('joi -> a tcp/1', null)], { confined: [] })).to.deep.equal([]));
});
