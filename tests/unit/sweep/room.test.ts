// Room in the tables of connections: no sweep fills what users' connections need, however many begin at once.
import { expect } from 'chai';
import type { Pair, Turn } from '../../../lib/model.ts';
import { makeRoom, type Room } from '../../../lib/sweep/room.ts';

const pair = (id: string): Pair => ({ id, from: id.split(' ')[0], to: id.split(' ')[2] }) as Pair;
const turn = (id: string, ports: number): Turn => ({ pair: pair(id), unit: { pair: id, first: 1, last: ports }, rate: 1 });
const [joi, mesh] = ['joi -> ntp vmbr1 tcp', 'mesh -> ntp vmbr1 tcp'] as const;

/** Of tables of a thousand: what each has, time after time (the last stands for all later ones). */
function room(tracked: Readonly<Record<string, readonly number[]>>, isOver = () => false): Room & Readonly<{ pauses: () => number }> {
  let pauses = 0;
  const vantages = new Map(Object.entries(tracked).map(([host, all]) => [host, { bounds: () => Promise.resolve({ conntrack: { most: all[Math.min(pauses, all.length - 1)] ?? 0, of: 1_000 } }) }]));
  return { ...makeRoom(vantages, ({ from, to }) => [from, to].filter((host) => vantages.has(host)), isOver, () => Promise.resolve((pauses += 1))), pauses: () => pauses };
}
const of = async (one: Room, ...ids: readonly string[]): Promise<readonly (number | undefined)[]> => {
  const rooms = await one.of(ids.map(pair));
  return ids.map((id) => rooms.get(id));
};

describe('sweep: room', () => {
  it('is half of what is free below half of the table, of the fullest machine', async () => expect(await of(room({ joi: [100], ntp: [300] }), joi)).to.deep.equal([100]));
  it('is divided among the pairs that pass a machine, each by its own', async () => expect(await of(room({ joi: [100], mesh: [460], ntp: [100] }), joi, mesh)).to.deep.equal([100, 20]));
  it('has no bound where nothing is tracked', async () => expect(await of(room({}), joi)).to.deep.equal([Number.POSITIVE_INFINITY]));
  it('is less by what has just begun, until that is over', async () => {
    const one = room({ ntp: [100] });
    const over = one.take([turn(joi, 60), turn(mesh, 40)]);
    expect(await of(one, joi)).to.deep.equal([150]);
    over();
    expect(await of(one, joi)).to.deep.equal([200]);
  });
  it('is waited for, until one pair has any', async () => {
    const one = room({ joi: [600, 600, 100], mesh: [600], ntp: [0] });
    expect(await of(one, joi, mesh)).to.deep.equal([125, -50]);
    expect(one.pauses()).to.equal(2);
  });
  it('is not waited for without end, nor once nobody waits any more', async () => {
    const one = room({ joi: [600] });
    expect((await of(one, joi))[0]).to.be.lessThan(1);
    expect(one.pauses()).to.equal(300);
    const over = room({ joi: [600] }, () => true);
    expect([(await of(over, joi))[0], over.pauses()]).to.deep.equal([-50, 0]);
  });
  it('is there for all of a batch together', async () => {
    expect(await room({ ntp: [100] }).has([turn(joi, 200), turn(mesh, 200)])).to.equal(true);
    expect(await room({ ntp: [100] }).has([turn(joi, 200), turn(mesh, 201)])).to.equal(false);
    expect(await room({ ntp: [100], mesh: [600] }).has([turn(joi, 10), turn(mesh, 10)]), 'each by all that it passes').to.equal(false);
    const soon = room({ ntp: [490, 100] });
    expect([await soon.has([turn(joi, 200)]), soon.pauses()]).to.deep.equal([true, 1]);
    expect(await room({}).has([turn(joi, 65_535)])).to.equal(true);
  });
});
