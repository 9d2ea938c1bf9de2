// The count of RSTs: quiet by one reading, else told apart by asking again; a look that fails again tells nothing.
import { expect } from 'chai';
import type { Failure, Probe, Resets } from '../../lib/model.ts';
import { startCounting } from '../../lib/resets.ts';
import { aFlow, token } from '../fixtures/flows.ts';
import { mute } from '../fixtures/vantage.ts';

const probe = (id: string, to = 'ntp'): Probe => ({ id, vantage: 'joi', token, flow: aFlow({ id, to }), look: { by: 'login' } });
const many = Array.from({ length: 40 }, (_none, index) => probe(`cell ${index}`));

type Host = Readonly<{
  /** Cells whose SYN reaches a closed port, and whether the RST comes back. */
  closed?: Readonly<Record<string, 'refused' | 'silent'>>;
  /** RSTs that others make it send, by the reading after which they come. */
  noise?: Readonly<Record<number, number>>;
  broken?: readonly string[];
  fails?: Failure;
}>;

async function settle({ closed = {}, noise = {}, broken = [], fails }: Host, unsure: readonly Probe[]): Promise<{ found: ReadonlyMap<string, Resets>; looks: number }> {
  let [sent, readings, looks] = [0, 0, 0];
  const ask = ({ id }: Probe): Promise<boolean | null> => {
    looks += 1;
    if (closed[id] !== undefined) sent += 1;
    if (broken.includes(id)) return Promise.resolve(null);
    return Promise.resolve(closed[id] === 'refused');
  };
  const resets = (): Promise<number | Failure> => {
    const count = sent;
    sent += noise[(readings += 1)] ?? 0;
    return Promise.resolve(fails ?? count);
  };
  const counting = await startCounting(new Map([['ntp', { ...mute, resets }]]));
  await Promise.all(unsure.map(ask)); // the run's own looks
  await counting.note();
  looks = 0;
  return { found: await counting.settle(unsure, ask), looks };
}

const sent = ({ found }: Awaited<ReturnType<typeof settle>>, value: boolean): readonly string[] => [...found].filter(([, one]) => one.sent === value).map(([id]) => id);

describe('resets', () => {
  it('that stay where they were show every look to have met no closed port, without asking again', async () => {
    const settled = await settle({}, many);
    expect(sent(settled, false)).to.have.length(many.length);
    expect(settled.looks).to.equal(0);
  });
  it('are the target\'s own where each look asked again was refused and counted', async () => {
    const refused = many.slice(0, 5);
    expect(sent(await settle({ closed: Object.fromEntries(refused.map(({ id }) => [id, 'refused'] as const)) }, refused), true)).to.have.members(refused.map(({ id }) => id));
  });
  it('name the cells whose RST was lost, and clear all others', async () => {
    const settled = await settle({ closed: { 'cell 7': 'silent', 'cell 31': 'silent' } }, many);
    expect(sent(settled, true)).to.have.members(['cell 7', 'cell 31']);
    expect(sent(settled, false)).to.have.length(many.length - 2);
  });
  it('of many closed ports between silent ones are told by a few rounds, since a refusal says whom to ask by themselves', async () => {
    const closed = many.filter((_probe, index) => index % 2 === 0).map(({ id }) => id);
    const settled = await settle({ closed: Object.fromEntries(closed.map((id) => [id, 'refused'] as const)) }, many);
    expect(sent(settled, true)).to.have.members(closed);
    expect(sent(settled, false)).to.have.length(many.length - closed.length);
    expect(settled.looks).to.equal(2 * many.length);
  });
  it('of others, once, are not taken for the target\'s answer', async () => {
    const settled = await settle({ noise: { 1: 1 } }, many);
    expect(sent(settled, true)).to.deep.equal([]);
    expect(sent(settled, false)).to.have.length(many.length);
  });
  it('of others while one cell is asked leave it unsettled', async () => {
    const settled = await settle({ noise: { 1: 1, 3: 1 } }, many.slice(0, 1));
    expect(settled.found.size).to.equal(0);
  });
  it('tell nothing where a look could not be had again', async () => expect((await settle({ closed: { 'cell 1': 'silent' }, broken: ['cell 1', 'cell 0'] }, many.slice(0, 2))).found.size).to.equal(0));
  it('tell of the others where a vantage is gone that some looks would be asked again from', async () => {
    const settled = await settle({ noise: { 1: 1 }, broken: ['cell 0', 'cell 9'] }, many);
    expect(sent(settled, false)).to.have.length(many.length - 2);
  });
  it('tell nothing where they cannot be read', async () => expect((await settle({ fails: { operation: 'exchange', cause: 'no /proc' } }, many)).found.size).to.equal(0));
  it('noted before an allowed flow was looked at say nothing of it: it is asked again', async () => {
    const allowed: Probe = { ...probe('allowed'), flow: aFlow({ id: 'allowed', to: 'ntp', expected: 'allowed' }) };
    let count = 0;
    const counting = await startCounting(new Map([['ntp', { ...mute, resets: () => Promise.resolve(count) }]]));
    await counting.note();
    const found = await counting.settle([allowed, ...many], () => Promise.resolve((count += 1) > 0));
    expect(found.get('allowed')?.sent).to.equal(true);
    expect(many.every(({ id }) => found.get(id)?.sent === false)).to.equal(true);
  });

  describe('counted beside other shards', () => {
    /** The target's count, which others move at each moment that they are said to, by the readings. */
    const shared = (closed: readonly string[], moves: (reading: number) => boolean, turns: (asked: number) => boolean = () => true): { settle: (unsure: readonly Probe[]) => Promise<ReadonlyMap<string, Resets>>; held: string[]; looks: () => number } => {
      let [count, readings, asked, looks] = [0, 0, 0, 0];
      const held: string[] = [];
      const vantage = {
        ...mute,
        resets: () => Promise.resolve((count += moves((readings += 1)) ? 1 : 0)),
        lock: (address: string) => {
          const has = turns((asked += 1));
          if (has) held.push(`+${address}`);
          return Promise.resolve(has ? null : ({ operation: 'start-prober', cause: 'another has it' } as const));
        },
        unlock: (address: string) => Promise.resolve(void held.push(`-${address}`)),
      };
      const settleAll = async (unsure: readonly Probe[]): Promise<ReadonlyMap<string, Resets>> => {
        const counting = await startCounting(new Map([['ntp', vantage]]), { turn: '127.1.1.255', pause: () => Promise.resolve() });
        await counting.note();
        return counting.settle(unsure, ({ id }) => {
          looks += 1;
          count += closed.includes(id) ? 1 : 0;
          return Promise.resolve(false);
        });
      };
      return { settle: settleAll, held, looks: () => looks };
    };
    const named = (found: ReadonlyMap<string, Resets>, value: boolean): readonly string[] => [...found].filter(([, one]) => one.sent === value).map(([id]) => id);

    it('that stood still while all were looking tell as ever, and take no turn', async () => {
      const { settle: settleAll, held } = shared([], () => false);
      expect(named(await settleAll(many), false)).to.have.length(many.length);
      expect(held).to.deep.equal([]);
    });
    it('that others have moved meanwhile are asked for again, in a turn that is given back', async () => {
      const { settle: settleAll, held } = shared([], (reading) => reading === 2);
      expect(named(await settleAll(many), false)).to.have.length(many.length);
      expect(held).to.deep.equal(['+127.1.1.255', '-127.1.1.255']);
    });
    it('are waited for until they stand still, and then name the same cells', async () => {
      const found = await shared(['cell 7', 'cell 31'], (reading) => reading < 40).settle(many);
      expect(named(found, true)).to.have.members(['cell 7', 'cell 31']);
      expect(named(found, false)).to.have.length(many.length - 2);
    });
    it('that others move for a while, again and again, name nobody', async () => {
      for (const every of [3, 5, 7, 11]) expect(named(await shared([], (reading) => reading < 400 && reading % every === 0).settle(many), true), `each ${every}`).to.deep.equal([]);
    });
    it('that never stand still tell nothing, and are not waited for twice', async () => {
      const { settle: settleAll, looks } = shared([], () => true);
      expect((await settleAll(many)).size).to.equal(0);
      expect(looks()).to.equal(many.length);
    });
    it('are waited for while another shard has its turn', async () => {
      const { settle: settleAll, held } = shared(['cell 3'], (reading) => reading === 2, (asked) => asked > 20);
      expect(named(await settleAll(many), true)).to.deep.equal(['cell 3']);
      expect(held).to.deep.equal(['+127.1.1.255', '-127.1.1.255']);
    });
    it('whose turn never comes tell nothing', async () => {
      const { settle: settleAll, looks } = shared(['cell 3'], (reading) => reading === 2, () => false);
      expect((await settleAll(many)).size).to.equal(0);
      expect(looks()).to.equal(0);
    });
  });
  it('of one host say nothing of another', async () => expect((await settle({}, [probe('elsewhere', 'mesh')])).found.size).to.equal(0));
});
