// The verdict table of DESIGN.md, row by row; every control, taken away, flips the verdict it stands for.
import { expect } from 'chai';
import fc from 'fast-check';
import { judge, judgeConfined } from '../../lib/judge.ts';
import type { Backing, Control, Outcome, Protocol, Resets, Verdict, Wall, Walls } from '../../lib/model.ts';
import { aBacking, aFlow, aWitness, failed, held } from '../fixtures/flows.ts';

type Row = readonly [sentence: string, outcome: Outcome, backing: Backing, result: string, reason: RegExp, controls?: readonly string[]];

const silent: Outcome = { seen: 'silent' };
const answered: Outcome = { seen: 'answered', detail: 'it spoke', rttMs: 1 };
const garbled: Outcome = { seen: 'garbled', detail: 'something else spoke' };
const reset: Outcome = { seen: 'refused', by: 'rst' };
const closed: Outcome = { seen: 'refused', by: 'port-unreachable' };
const barred: Outcome = { seen: 'barred', detail: 'EPERM on send' };
const absent: Outcome = { seen: 'absent', detail: 'no IPv6 there' };
const dead: Outcome = { seen: 'dead', detail: 'the neighbour does not answer' };
const unrouted: Outcome = { seen: 'unrouted', detail: 'no route' };
const noPath: Outcome = { seen: 'no path', detail: 'its only way is not ours' };
const prohibited: Outcome = { seen: 'rejected', detail: 'ICMP type 3 code 13', from: '172.22.22.3', prohibited: true };
const byAnother: Outcome = { seen: 'rejected', detail: 'ICMP type 3 code 3', from: '172.22.22.4', prohibited: false };
const byTarget: Outcome = { seen: 'rejected', detail: 'ICMP type 3 code 2', from: '172.22.22.3', prohibited: false };
const unprobed: Outcome = { seen: 'unprobed', failure: { operation: 'exchange', cause: 'EMFILE' } };

const none = aBacking();
const sender = held('sender');
const watched = aBacking({ sender, witnesses: [aWitness()] });
const vouched = aBacking({ sender, alive: held('alive') });
const arrived = aBacking({ sender, witnesses: [aWitness({ saw: 'its table has it' })] });
const overlay = aBacking({ overlay: held('overlay') });

function verdictOf(row: Row, over: Parameters<typeof aFlow>[0]): Verdict {
  return judge(aFlow(over), row[1], row[2]);
}

function holds(rows: readonly Row[], over: Parameters<typeof aFlow>[0]): void {
  for (const row of rows) {
    const [sentence, , , result, reason, controls] = row;
    it(sentence, () => {
      const verdict = verdictOf(row, over);
      expect(verdict.result === 'pass' ? `pass, ${verdict.grade}` : verdict.result, verdict.reason).to.equal(result);
      expect(verdict.reason).to.match(reason);
      if (controls !== undefined) expect(verdict.controls).to.deep.equal(controls);
    });
  }
}

describe('judge: a flow of a TEMP row that has ended, in phase setup', () => {
  holds([
    ['fails where it still works', answered, none, 'fail', /^its TEMP row ended on 2026-11-24: reached: it spoke$/],
    ['fails where it is blocked by now, and says what to do', barred, none, 'fail', /^its TEMP row ended on 2026-11-24, and it is blocked by now \(barred .*\): test phase steady, take the row out, or give it a later day$/],
    ['keeps the controls that its block stands on', silent, watched, 'fail', /blocked by now/, ['sender', 'before', 'after']],
    ['is inconclusive where it could not be looked at', unprobed, none, 'inconclusive', /^could not look/],
    ['is inconclusive where a control is missing', silent, none, 'inconclusive', /^control missing/],
  ], { ended: '2026-11-24' });
});

describe('judge: an allowed flow', () => {
  holds([
    ['that answers passes', answered, none, 'pass, proven', /it spoke/],
    ['that something else answers fails as a wrong service', garbled, none, 'fail', /wrong service: something else/],
    ['that is silent though it arrived fails for its service or its reply', silent, arrived, 'fail', /no service, or the reply is lost/, ['before', 'after']],
    ['that is refused though it arrived fails for its service', reset, arrived, 'fail', /^no service: the path is open/],
    ['that is refused with nothing to show why fails', reset, none, 'fail', /blocked or no service/],
    ['that is silent fails as blocked', silent, none, 'fail', /blocked: silent/],
    ['that is silent stays a failure beside a witness that saw nothing', silent, watched, 'fail', /blocked/],
    ['that is silent stays a failure beside an overlay, where it is not Nebula', silent, overlay, 'fail', /blocked/],
    ['that its source bars fails and says so', barred, none, 'fail', /at the source/],
    ['that is rejected fails and says by whom', byAnother, none, 'fail', /from 172\.22\.22\.4/],
    ['to a dead neighbour fails and says so', dead, none, 'fail', /neighbour/],
    ['without a route fails and says so', unrouted, none, 'fail', /no route/],
    ['to an address that is not there fails and says so', absent, none, 'fail', /no IPv6/],
    ['without a path fails and says so', noPath, none, 'fail', /not ours/],
    ['that could not be looked at is inconclusive', unprobed, vouched, 'inconclusive', /could not look \(exchange\): EMFILE/, []],
  ], { expected: 'allowed' });
});

describe('judge: Nebula\'s underlay', () => {
  holds([
    ['that is silent passes by its overlay, which it names', silent, overlay, 'pass, proven', /the overlay works/, ['overlay']],
    ['that is silent fails with an overlay that does not answer', silent, aBacking({ overlay: failed('overlay') }), 'fail', /blocked/],
    ['that is silent fails without an overlay', silent, none, 'fail', /blocked/],
    ['that its source bars passes by its overlay: the rule is for its own port alone', barred, overlay, 'pass, proven', /stricter than the matrix/, ['overlay']],
    ['that its source bars fails with an overlay that does not answer', barred, aBacking({ overlay: failed('overlay') }), 'fail', /at the source/],
    ['that is refused fails whatever its overlay does', closed, overlay, 'fail', /refused/],
  ], { expected: 'allowed', protocol: 'nebula', transport: 'udp', port: 4242 });
});

describe('judge: a denied flow', () => {
  holds([
    ['that answers fails', answered, watched, 'fail', /reached: it spoke/],
    ['that something else answers fails', garbled, watched, 'fail', /reached: something else/],
    ['that is silent though it arrived fails', silent, arrived, 'fail', /reached: its table has it/, ['before', 'after']],
    ['that is refused though it arrived fails', reset, arrived, 'fail', /reached/],
    ['that is barred though it arrived fails', barred, arrived, 'fail', /reached/],
    ['that is rejected though it arrived fails', prohibited, arrived, 'fail', /reached/],
    ['that arrived fails even by a witness that was not alive', silent, aBacking({ witnesses: [aWitness({ saw: 'its table has it', after: failed('after') })] }), 'fail', /reached/],
    ['that its source bars is proven', barred, none, 'pass, proven', /barred by the source/],
    ['to an address that is not there is proven', absent, none, 'pass, proven', /no IPv6/],
    ['without a path passes as such', noPath, none, 'pass, no path', /not ours/],
    ['that the target prohibits is proven', prohibited, none, 'pass, proven', /code 13 from 172\.22\.22\.3/],
    ['that another machine rejects is proven', byAnother, none, 'pass, proven', /from 172\.22\.22\.4/],
    ['that the target rejects is ambiguous', byTarget, vouched, 'inconclusive', /ambiguous refusal/],
    ['that the target rejects is proven by a witness', byTarget, watched, 'pass, proven', /by a firewall/, ['before', 'after']],
    ['whose port is unreachable is ambiguous', closed, vouched, 'inconclusive', /ambiguous refusal/],
    ['whose port is unreachable is proven by a witness', closed, watched, 'pass, proven', /by a firewall/, ['before', 'after']],
    ['that a RST ends is ambiguous', reset, vouched, 'inconclusive', /ambiguous refusal/],
    ['that a RST ends is ambiguous beside connection tracking, which forgets by it', reset, watched, 'inconclusive', /ambiguous refusal/],
    ['that is silent is no more than inferred for TCP, whose entry a lost RST would have deleted', silent, watched, 'pass, inferred', /no entry/, ['sender', 'before', 'after']],
    ['without a route is proven by a witness', unrouted, watched, 'pass, proven', /no entry/, ['sender', 'before', 'after']],
    ['to a dead neighbour is proven by a witness', dead, watched, 'pass, proven', /no entry/, ['sender', 'before', 'after']],
    ['that is silent is inferred from its life elsewhere', silent, vouched, 'pass, inferred', /alive from elsewhere/, ['sender', 'alive']],
    ['without a route is inferred from its life elsewhere', unrouted, vouched, 'pass, inferred', /alive from elsewhere/, ['sender', 'alive']],
    ['to a dead neighbour is never inferred', dead, vouched, 'inconclusive', /control missing: the neighbour/],
    ['that is silent with no control at all is inconclusive', silent, none, 'inconclusive', /control missing/],
    ['without a route and any control is inconclusive', unrouted, none, 'inconclusive', /control missing/],
    ['that could not be looked at is inconclusive', unprobed, watched, 'inconclusive', /could not look \(exchange\): EMFILE/, []],
    ['that could not be looked at is inconclusive though it arrived', unprobed, arrived, 'inconclusive', /could not look/],
  ], {});

  describe('with a listener of ours at the far end', () => {
    const listener = aWitness({ id: 'listener', before: held('heard before'), after: held('heard after') });
    const heard = aBacking({ sender, listener });
    const deaf = aBacking({ sender, listener: { ...listener, after: failed('heard after') } });
    const got = aBacking({ sender, listener: { ...listener, saw: 'our listener got it' } });
    holds([
      ['that is silent is proven, for TCP too', silent, heard, 'pass, proven', /our listener there got nothing/, ['sender', 'heard before', 'heard after']],
      ['that a RST ends is proven: the port is open, so a firewall sent it', reset, heard, 'pass, proven', /by a firewall/, ['heard before', 'heard after']],
      ['that is silent is inconclusive once the listener is deaf', silent, deaf, 'inconclusive', /control missing/],
      ['that a RST ends is ambiguous once the listener is deaf', reset, deaf, 'inconclusive', /ambiguous refusal/],
      ['that is silent fails if the listener got it', silent, got, 'fail', /reached: our listener got it/],
      ['that is barred fails if the listener got it', barred, got, 'fail', /reached/],
    ], {});
  });

  describe('whose source is asked about its own firewall', () => {
    const quiet: Resets = { id: 'resets ntp', sent: false, counted: true, detail: 'no RST' };
    const left = aWitness({ id: 'own table', before: held('left before'), after: held('left after') });
    const near = held('near');
    holds([
      ['that is silent is proven where that would not send a raw packet either', silent, aBacking({ near }), 'pass, proven', /source's own firewall: near is well/, ['near']],
      ['that is silent is inconclusive where it would, and nothing else tells', silent, aBacking({ near: failed('near') }), 'inconclusive', /control missing/],
      ['that a RST ends is ambiguous whatever its own firewall does', reset, aBacking({ near }), 'inconclusive', /ambiguous refusal/],
      ['that is silent is proven where nothing left and the target sent no RST', silent, aBacking({ left, resets: quiet }), 'pass, proven', /nothing of it that left/, ['left before', 'left after', 'resets ntp']],
      ['that is silent is proven where nothing left and the port is alive from elsewhere', silent, aBacking({ left, alive: held('alive') }), 'pass, proven', /nothing of it that left/],
      ['that is silent is inconclusive where nothing left, but a lost RST could have wiped it out', silent, aBacking({ left }), 'inconclusive', /control missing/],
      ['that is silent is inconclusive where its own table was deaf', silent, aBacking({ left: { ...left, after: failed('left after') }, resets: quiet }), 'inconclusive', /control missing/],
      ['that is silent is inconclusive where it left and nothing else tells', silent, aBacking({ left: { ...left, saw: 'it left' }, resets: quiet }), 'inconclusive', /control missing/],
    ], {});
  });

  describe('whose target counts the RSTs that it sends', () => {
    const resets = (sent: boolean | null, counted = true): Resets => ({ id: 'resets ntp', sent, counted, detail: sent === true ? 'its own kernel sent a RST' : 'no RST' });
    const counting = (sent: boolean | null, counted = true): Backing => ({ ...watched, resets: resets(sent, counted) });
    holds([
      ['that is silent is proven for TCP by its connection tracking, where none was sent', silent, counting(false), 'pass, proven', /no entry/, ['sender', 'before', 'after', 'resets ntp']],
      ['that is silent is inferred where the count does not tell', silent, counting(null), 'pass, inferred', /no entry/],
      ['that is silent fails where one was sent: the RST was lost', silent, counting(true), 'fail', /reached: its own kernel sent a RST/],
      ['that a RST ends fails where the target sent it', reset, counting(true), 'fail', /reached: its own kernel/],
      ['that a RST ends is proven where the target sent none', reset, counting(false), 'pass, proven', /by a firewall: no RST/, ['resets ntp']],
      ['that a RST ends is ambiguous where the count does not tell', reset, counting(null), 'inconclusive', /ambiguous/],
      ["that a RST ends is ambiguous by another's silence", reset, counting(false, false), 'inconclusive', /ambiguous/],
    ], {});
  });

  it('over UDP that is silent is proven by a witness', () => {
    expect(judge(aFlow({ transport: 'udp', protocol: 'udp' }), silent, watched)).to.deep.include({ result: 'pass', grade: 'proven', controls: ['sender', 'before', 'after'] });
  });

  it('rejected by the target under another spelling of its address is ambiguous', () => {
    const outcome: Outcome = { seen: 'rejected', detail: 'ICMPv6 type 4 code 1', from: 'fd00::3', prohibited: false };
    for (const address of ['fd00:0:0::3', 'FD00::3', 'fd00::3%eth0']) expect(judge(aFlow({ address }), outcome, none).result, address).to.equal('inconclusive');
  });
});

/** A pass, and each control that it stands on. */
const stands: readonly (readonly [sentence: string, outcome: Outcome, backing: Backing, without: readonly (readonly [string, Partial<Backing>])[]])[] = [
  ['silence with a witness', silent, watched, [
    ['the sender not held', { sender: failed('sender') }], ['no sender', { sender: null }],
    ['the witness not alive before', { witnesses: [aWitness({ before: failed('before') })] }], ['the witness not alive after', { witnesses: [aWitness({ after: failed('after') })] }],
    ['no witness', { witnesses: [] }],
  ]],
  ['silence of what lives elsewhere', silent, vouched, [
    ['the sender not held', { sender: failed('sender') }], ['no sender', { sender: null }],
    ['no life elsewhere', { alive: failed('alive') }], ['no look elsewhere', { alive: null }],
    ['a witness that was not alive', { witnesses: [aWitness({ before: failed('before') })] }],
  ]],
  ['an unreachable port with a witness', closed, watched, [
    ['the witness not alive before', { witnesses: [aWitness({ before: failed('before') })] }], ['the witness not alive after', { witnesses: [aWitness({ after: failed('after') })] }],
    ['no witness', { witnesses: [] }],
  ]],
  ['a dead neighbour with a witness', dead, watched, [
    ['the sender not held', { sender: failed('sender') }], ['the witness not alive before', { witnesses: [aWitness({ before: failed('before') })] }],
    ['the witness not alive after', { witnesses: [aWitness({ after: failed('after') })] }],
  ]],
];

describe('judge: a confined host', () => {
  const walls = (far: boolean | null): Walls => {
    const wall: Wall = { stands: far, grade: null, reason: 'reached: its table has it', controls: ['before'], observation: null };
    return { near: { ...wall, stands: true }, far: wall };
  };
  const pass = judge(aFlow(), barred, none);
  it('fails where nothing but its own firewall stops it', () => expect(judgeConfined(pass, walls(false))).to.deep.include({ result: 'fail', controls: ['before'] }));
  it('passes where others stop it, too', () => expect(judgeConfined(pass, walls(true))).to.equal(pass));
  it('passes where that could not be told', () => expect(judgeConfined(pass, walls(null))).to.equal(pass));
  it('stays inconclusive where the look of a user failed', () => expect(judgeConfined(judge(aFlow(), unprobed, none), walls(false)).result).to.equal('inconclusive'));
});

describe('judge: each control flips the verdict', () => {
  for (const [sentence, outcome, backing, without] of stands) {
    it(`${sentence} passes`, () => expect(judge(aFlow(), outcome, backing).result).to.equal('pass'));
    for (const [lack, over] of without)
      it(`${sentence} is inconclusive with ${lack}`, () => expect(judge(aFlow(), outcome, { ...backing, ...over }).result).to.equal('inconclusive'));
  }
});

describe('judge: whatever comes together', () => {
  const outcomes = fc.constantFrom(silent, answered, garbled, reset, closed, barred, absent, dead, unrouted, noPath, prohibited, byAnother, byTarget, unprobed);
  const control = (id: string): fc.Arbitrary<Control> => fc.boolean().map((is) => (is ? held(id) : failed(id)));
  const witnesses = fc.record({ id: fc.constant('witness'), before: control('before'), after: control('after'), saw: fc.option(fc.constant('its table has it')) });
  const lefts = fc.record({ id: fc.constant('left'), before: control('left before'), after: control('left after'), saw: fc.option(fc.constant('it left')) });
  const resets = fc.record({ id: fc.constant('resets'), sent: fc.option(fc.boolean()), counted: fc.boolean(), detail: fc.constant('by the count') });
  const listeners = fc.record({ id: fc.constant('listener'), before: control('heard before'), after: control('heard after'), saw: fc.option(fc.constant('our listener got it')) });
  const backings: fc.Arbitrary<Backing> = fc.record({ sender: fc.option(control('sender')), alive: fc.option(control('alive')), near: fc.option(control('near')), left: fc.option(lefts), resets: fc.option(resets), witnesses: fc.array(witnesses, { maxLength: 2 }), listener: fc.option(listeners), overlay: fc.option(control('overlay')) });
  const protocols = fc.constantFrom<Protocol>('tcp', 'udp', 'nebula', 'ntp', 'icmp');
  const every = (law: (outcome: Outcome, backing: Backing, protocol: Protocol) => void): void => fc.assert(fc.property(outcomes, backings, protocols, law), { numRuns: 3000 });
  const heldIds = (backing: Backing): readonly string[] =>
    [
      backing.sender, backing.alive, backing.overlay, backing.near, backing.left?.before, backing.left?.after, ...backing.witnesses.flatMap(({ before, after }) => [before, after]),
      backing.listener?.before, backing.listener?.after, ...(backing.resets === null ? [] : [{ id: backing.resets.id, held: backing.resets.sent === false }]),
    ].flatMap((one) => (one?.held === true ? [one.id] : []));

  it('a failed look is inconclusive, whatever was expected', () => every((_outcome, backing, protocol) => {
    for (const expected of ['allowed', 'denied'] as const) expect(judge(aFlow({ expected, protocol }), unprobed, backing).result).to.equal('inconclusive');
  }));
  it('a denied flow that came through never passes', () => every((outcome, backing, protocol) => {
    if (outcome.seen !== 'answered' && outcome.seen !== 'garbled' && backing.witnesses.every(({ saw }) => saw === null) && (backing.listener?.saw ?? null) === null && backing.resets?.sent !== true) return;
    expect(judge(aFlow({ protocol }), outcome, backing).result).to.not.equal('pass');
  }));
  it('a denied flow that passes speaks for itself or names controls, all of them held', () => every((outcome, backing, protocol) => {
    const verdict = judge(aFlow({ protocol }), outcome, backing);
    if (verdict.result !== 'pass') return;
    expect(heldIds(backing)).to.include.members([...verdict.controls]);
    const itself = ['barred', 'absent', 'no path'].includes(outcome.seen) || outcome === prohibited || outcome === byAnother;
    expect(itself || verdict.controls.length > 0, outcome.seen).to.equal(true);
  }));
  it('an allowed flow passes by an answer alone, or by the overlay it carries', () => every((outcome, backing, protocol) => {
    const verdict = judge(aFlow({ expected: 'allowed', protocol }), outcome, backing);
    if (verdict.result === 'pass') expect(outcome.seen === 'answered' || (protocol === 'nebula' && backing.overlay?.held === true)).to.equal(true);
  }));
});
