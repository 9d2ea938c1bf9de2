// Each wall by itself: what shows that it stands, that it is open, and when neither can be said.
import { expect } from 'chai';
import { judgeWalls } from '../../lib/walls.ts';
import type { Backing, Observation, Outcome, Walls } from '../../lib/model.ts';
import { aBacking, aFlow, anObservation, aWitness, failed, held } from '../fixtures/flows.ts';

const silent: Outcome = { seen: 'silent' };
const barred: Outcome = { seen: 'barred', detail: 'EPERM on send' };
const unprobed: Outcome = { seen: 'unprobed', failure: { operation: 'exchange', cause: 'EMFILE' } };
const raw = (outcome: Outcome): Observation => anObservation({ outcome });
const walls = (outcome: Outcome, backing: Backing, near: Outcome | null, far: readonly [Outcome, Backing] | null): Walls =>
  judgeWalls(aFlow(), outcome, backing, near === null ? null : raw(near), far === null ? null : { observation: raw(far[0]), backing: far[1] });

describe('walls: the near one', () => {
  const left = aWitness();
  const rows: readonly (readonly [sentence: string, outcome: Outcome, backing: Backing, near: Outcome | null, stands: boolean | null])[] = [
    ['stands where it barred the look itself', barred, aBacking(), null, true],
    ['stands where it barred a raw packet', silent, aBacking({ near: held('near') }), barred, true],
    ['is open where it let a raw packet out', silent, aBacking({ near: failed('near') }), silent, false],
    ['stands where its own connection tracking saw nothing leave', silent, aBacking({ left }), null, true],
    ['is open where its own connection tracking saw it leave', silent, aBacking({ left: { ...left, saw: 'it left' } }), null, false],
    ['is not told by a deaf connection tracking', silent, aBacking({ left: { ...left, after: failed('after') } }), null, null],
    ['is not told by a raw look that failed', silent, aBacking({ near: failed('near') }), unprobed, null],
    ['is not told by nothing', silent, aBacking(), null, null],
  ];
  for (const [sentence, outcome, backing, near, stands] of rows) it(sentence, () => expect(walls(outcome, backing, near, null).near.stands).to.equal(stands));
});

describe('walls: the far one', () => {
  const sender = held('frames joi eth0');
  const watched = aBacking({ sender, witnesses: [aWitness()], resets: { id: 'resets ntp', sent: false, counted: true, detail: 'none' } });
  const rows: readonly (readonly [sentence: string, far: readonly [Outcome, Backing] | null, stands: boolean | null])[] = [
    ['stands where a witness that was alive has nothing of the frame', [silent, watched], true],
    ['is open where the frame was answered', [{ seen: 'answered', detail: 'TCP handshake', rttMs: 1 }, watched], false],
    ['is open where a witness has the frame', [silent, { ...watched, witnesses: [aWitness({ saw: 'it has it' })] }], false],
    ['is not told where nothing shows that frames get out', [silent, { ...watched, sender: failed('frames joi eth0') }], null],
    ['is not told where the witness was deaf', [silent, { ...watched, witnesses: [aWitness({ before: failed('before') })] }], null],
    ['is not told where the frame was not sent', [unprobed, watched], null],
    ['is not told where it was not asked', null, null],
  ];
  for (const [sentence, far, stands] of rows) it(sentence, () => expect(walls(barred, aBacking(), null, far).far.stands).to.equal(stands));
  it('names what it stands on', () => expect(walls(barred, aBacking(), null, [silent, watched]).far).to.deep.include({ grade: 'proven', controls: ['frames joi eth0', 'before', 'after', 'resets ntp'] }));
});
