// What a plan will send: its cells are those of a run, and its packets no fewer than a run's looks can make.
import { expect } from 'chai';
import { forecast, undiscovered, type Forecast } from '../../lib/forecast.ts';
import type { Discovery, Plan } from '../../lib/model.ts';
import { discovery, inventory, plan, vantages } from '../fixtures/site.ts';

const all: Discovery = { ...discovery, raw: vantages, privileged: vantages };
const told = (given: Discovery, isKnown: boolean, of: Plan = plan({ discovery: given })): Forecast => forecast(of, inventory, given, isKnown);
const [blind, seen] = [told(undiscovered(inventory), false), told(all, true)];
const packets = ({ cells }: Forecast, id: string): unknown => cells.find(({ flow }) => flow.id === id)?.packets;
const ids = ({ cells }: Forecast): readonly string[] => cells.map(({ flow }) => flow.id);

describe('forecast: the cells', () => {
  it('are, with what a run found out, those of the run', () => expect(ids(seen)).to.deep.equal(plan({ discovery: all }).flows.map(({ flow }) => flow.id)));
  it('that the inventory alone cannot tell are those of further addresses, and of those that hosts tell', () => {
    const known = new Set(ids(blind));
    const missing = ids(seen).filter((id) => !known.has(id));
    expect(missing.length).to.be.greaterThan(100);
    // mesh and ntp have rows for `dns` (their router, which is the DHCP server too); others know it by its address.
    expect(missing.filter((id) => !/^\S+ -> (\S+#2|dns|198\.51\.100\.1) /.test(id))).to.deep.equal([]);
  });
  it('that fall away with a login are those of other ways, and of source ports that a row or the routes settle', () => {
    const known = new Set(ids(seen));
    expect(ids(blind).filter((id) => !known.has(id) && !/ by gateway$| from (443|123)$|^operator -> joi vmbr1 (tcp|udp)\/high from /.test(id))).to.deep.equal([]);
  });
  it('that cannot be told are said, each name and each discovered target', () => {
    for (const name of ['chat.signal.org', 'pool.ntp.org', 'dns', 'dhcp']) expect(blind.unknown.filter((line) => line.startsWith(`the addresses of ${name}`)), name).to.have.length(1);
    expect(seen.unknown).to.deep.equal([]);
  });
});

describe('forecast: the packets', () => {
  const rows: readonly (readonly [sentence: string, of: Forecast, id: string, least: number, most: number])[] = [
    ['of a denied handshake: three, the near wall\'s and three frames', seen, 'joi -> ntp vmbr1 tcp/25', 1, 7],
    ['are the same where the host is not known: it may have python3 and root', blind, 'joi -> ntp vmbr1 tcp/25', 0, 7],
    ['of a denied datagram: two of nc\'s own first, and no near wall', seen, 'joi -> ntp vmbr1 udp/161', 1, 8],
    ['of an allowed flow: one that is answered, or sixteen tries', seen, 'mesh -> dns udp/53', 1, 17],
    ['of NTP: a second view of it', seen, 'joi -> ntp vmbr1 udp/123', 2, 34],
    ['of our login: none beside it', seen, 'gateway -> joi vmbr1 tcp/22', 0, 0],
    ['of a host to itself: none on a wire', blind, 'joi -> joi docker0 tcp/11434', 0, 0],
    ['of a cell without a path: none', seen, 'ntp -> joi nebula tcp/22', 0, 0],
    ['of another way: frames alone', seen, 'joi -> github.com tcp/443 by mesh', 0, 3],
    ['of surviving sessions: none', blind, 'joi => surviving sessions', 0, 0],
  ];
  for (const [sentence, of, id, least, most] of rows) it(sentence, () => expect(packets(of, id), id).to.include({ least, most }));
  it('are no fewer than the plan\'s own looks have tries', () => {
    const tries = plan({ discovery: all }).flows.flatMap(({ flow, probe, nearWall, farWall }) => (flow.to === flow.from ? [] : [probe, nearWall, farWall])).concat(plan({ discovery: all }).controls)
      .reduce((sum, probe) => sum + (probe?.look.by === 'exchange' ? probe.look.exchange.attempts : probe?.look.by === 'raw' ? probe.look.raw.attempts : probe?.look.by === 'frame' ? probe.look.frame.attempts : 0), 0);
    expect(tries).to.be.greaterThan(10_000);
    expect(seen.total.most).to.be.at.least(tries);
  });
  it('of the controls are counted too: the operator\'s looks outside, and frames on allowed flows', () => {
    const { controls } = plan({ discovery: all });
    const tries = controls.reduce((sum, { look }) => sum + (look.by === 'exchange' ? look.exchange.attempts : look.by === 'frame' ? look.frame.attempts : 0), 0);
    for (const of of [blind, seen]) expect(of.total.most - of.cells.reduce((sum, one) => sum + one.packets.most, 0)).to.be.at.least(of === seen ? tries : tries / 2);
  });
  it('are more where packets are lost', () => {
    for (const { least, most, mostUnderLoss } of [blind, seen].flatMap(({ cells }) => cells.map((cell) => cell.packets))) expect([least <= most, most <= mostUnderLoss]).to.deep.equal([true, true]);
    expect(seen.total.mostUnderLoss).to.be.greaterThan(seen.total.most * 3);
  });
  it('add up, by vantage and address', () => {
    for (const of of [blind, seen]) {
      expect(of.senders.reduce((sum, { cells }) => sum + cells, 0)).to.equal(of.cells.length);
      expect(of.senders.reduce((sum, one) => sum + one.packets.most, 0)).to.equal(of.total.most);
    }
  });
  it('come from the address that the host has there, or from one that is not known yet', () => {
    const sources = (of: Forecast, vantage: string): readonly string[] => [...new Set(of.senders.filter((one) => one.vantage === vantage).map(({ source }) => source))].toSorted();
    expect(sources(blind, 'mesh')).to.deep.equal(['10.42.0.1', '172.22.22.1', 'by its routes', 'its own on wan']);
    expect(sources(seen, 'mesh')).to.include.members(['10.42.0.1', '172.22.22.1', '198.51.100.102']);
  });
});
