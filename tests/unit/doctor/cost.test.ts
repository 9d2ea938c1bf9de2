// What a run loses without something, by the plans of a site like the lab's.
import { expect } from 'chai';
import { costInWords, costNow, costOf, isBearable, planOf, type Cost } from '../../../lib/doctor/cost.ts';
import type { Discovery } from '../../../lib/model.ts';
import { discovery, inventory, without } from '../../fixtures/site.ts';

/** Without the ports that are only watched: half the cells. */
const planning = { inventory: { ...inventory, site: { ...inventory.site, watch: { tcp: [], udp: [] } } }, phase: 'steady' } as const;
const nothing: Cost = { inferred: 0, own: 0, bare: 0, unseen: 0, untested: 0, walls: 0 };
const lacking = (host: string, ...keys: readonly ('witnesses' | 'listeners' | 'privileged' | 'raw')[]): Discovery =>
  ({ ...discovery, ...Object.fromEntries(keys.map((key) => [key, discovery[key].filter((name) => name !== host)])) });

describe('doctor: the cost of what is missing', () => {
  it('is nothing where nothing is missing', () => expect(costOf(planning, discovery, discovery)).to.deep.equal(nothing));
  it('is nothing where there is more than before', () => expect(costOf(planning, lacking('joi', 'witnesses'), discovery)).to.deep.equal(nothing));
  it('of raw packets: cells that are not tested, and walls, but no proof', () => {
    const cost = costOf(planning, discovery, lacking('joi', 'raw'));
    expect(cost).to.include({ inferred: 0, own: 0, bare: 0, unseen: 0 });
    expect(cost.untested).to.be.greaterThan(50);
    expect(cost.walls).to.be.greaterThan(200);
    expect(isBearable(cost)).to.equal(true);
  });
  it('of source ports: the gaps of the plan itself, to the cell', () => {
    const cost = costOf(planning, discovery, lacking('gateway', 'privileged'));
    const gaps = (found: Discovery): number => planOf(planning, found).gaps.reduce((sum, { cells }) => sum + cells, 0);
    expect(cost.untested).to.equal(gaps(lacking('gateway', 'privileged')) - gaps(discovery));
  });
  it('of DHCP\'s port: cells that are not looked at', () => expect(costOf(planning, discovery, lacking('mesh', 'privileged')).unseen).to.be.greaterThan(0));
  it('of the one witness of a host: what its own side could prove is left, or nothing', () => {
    const cost = costOf(planning, lacking('ntp', 'listeners'), lacking('ntp', 'listeners', 'witnesses'));
    expect(cost.own + cost.bare).to.be.greaterThan(100);
    expect(isBearable(cost)).to.equal(false);
  });
  it('of a host that cannot be entered: all that is looked at from it', () => {
    const poorer = without('joi');
    const plan = planOf(planning, poorer);
    const from = plan.flows.filter(({ flow }) => flow.from === 'joi');
    const cost = costNow(plan, poorer, ({ flow }) => flow.from === 'joi');
    expect(from.length).to.be.greaterThan(200);
    expect(cost.unseen).to.equal(from.length);
    expect(isBearable(cost)).to.equal(false);
  });
});

describe('doctor: a cost in words', () => {
  const rows: readonly (readonly [cost: Partial<Cost>, words: string | null])[] = [
    [{}, null],
    [{ inferred: 1 }, '1 cell loses its proof (1 inferred only)'],
    [{ unseen: 3, bare: 2, own: 4, inferred: 1 }, "10 cells lose their proof (3 inconclusive: not looked at, 2 inconclusive where silent: nothing else would prove it, 4 inconclusive unless the source's own firewall is what stops them, 1 inferred only)"],
    [{ untested: 72, walls: 1 }, "72 cells not tested; 1 cell not looked at past the host's own firewall"],
  ];
  for (const [cost, words] of rows) it(`${words}`, () => expect(costInWords({ ...nothing, ...cost })).to.equal(words));
});
