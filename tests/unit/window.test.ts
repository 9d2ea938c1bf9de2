// The decision window: three round trips, between a floor and a ceiling, of denied TCP looks alone; what was not measured is waited for longest.
import { expect } from 'chai';
import { operator } from '../../lib/facts.ts';
import type { Discovery, Inventory, Probe } from '../../lib/model.ts';
import { misfits, windowOf, withWindows } from '../../lib/window.ts';
import { address, discovery, inventory, plan } from '../fixtures/site.ts';

const denied = { attempts: 3, intervalMs: 150, windowMs: 700 };

describe('window: of a round trip', () => {
  const rows: readonly (readonly [sentence: string, roundTripMs: number | null, floorMs: number | undefined, windowMs: number])[] = [
    ['is three of them', 100, undefined, 300],
    ['is in whole ms, rounded up', 100.1, undefined, 301],
    ['is no shorter than 200 ms unless the inventory says otherwise', 3, undefined, 200],
    ['is no shorter than the floor', 3, 350, 350],
    ['may be shorter where the floor is lower', 3, 1, 9],
    ['is no longer than the ceiling', 300, undefined, 700],
    ['that was not measured is the ceiling', null, 1, 700],
  ];
  for (const [sentence, roundTripMs, floorMs, windowMs] of rows) it(sentence, () => expect(windowOf(roundTripMs, { ...denied, floorMs })).to.equal(windowMs));
  it('is the ceiling where that is below the usual floor', () => expect(windowOf(3, { ...denied, windowMs: 150 })).to.equal(150));
});

/** One beacon, which holds example.com's address. */
const beaconed: Discovery = {
  ...discovery, beacons: { internet: '198.51.100.1' },
  hosts: { ...discovery.hosts, internet: { kernel: 'Linux', addresses: [address('eth0', '198.18.20.2', 32)], routes: [], resolvers: [], links: [], neighbours: [] } },
};
const measured = new Map([['mesh', 40], ['joi', 60], ['ntp', 100], [operator, 1], ['internet', 90]]); // the gateway could not tell

describe('window: of a plan', () => {
  const before = plan({ discovery: beaconed });
  const { plan: after, windows } = withWindows(before, { inventory, discovery: beaconed }, measured);
  const windowMs = ({ look }: Probe): number | null => (look.by === 'exchange' ? look.exchange.windowMs : look.by === 'frame' ? look.frame.windowMs : look.by === 'raw' ? look.raw.windowMs : null);
  const found = (fits: (probe: Probe) => boolean): readonly number[] => {
    const all = after.flows.map(({ probe }) => probe).filter((probe) => probe.look.by === 'exchange' && fits(probe)).map((probe) => windowMs(probe) ?? 0);
    return [...new Set(all)];
  };
  const handshakes = (from: string, to: string, network: string): readonly number[] => found(({ flow }) => flow.transport === 'tcp' && flow.expected === 'denied' && flow.from === from && flow.to === to && flow.network === network);

  it('adds up the ways of both ends to the operator\'s seat', () => {
    expect(handshakes('joi', 'ntp', 'vmbr1')).to.deep.equal([480]);
    expect(handshakes('mesh', 'joi', 'vmbr1')).to.deep.equal([300]);
    expect(handshakes(operator, 'ntp', 'wan')).to.deep.equal([303]);
  });
  it('is the ceiling where either end could not be measured', () => {
    expect(handshakes('joi', 'gateway', 'vmbr1')).to.deep.equal([700]);
    expect(handshakes('gateway', 'joi', 'vmbr1')).to.deep.equal([700]);
  });
  it('is the ceiling in an overlay, whose relays nobody knows', () => expect(handshakes('mesh', 'joi', 'nebula')).to.deep.equal([700]));
  it('to an external target is measured by the beacon that holds it, or not at all', () => {
    expect(handshakes('joi', 'example.com', 'wan')).to.deep.equal([450]);
    expect(handshakes('joi', 'github.com', 'wan')).to.deep.equal([700]);
  });
  it('is that of denied handshakes alone', () => {
    for (const transport of ['udp', 'icmp'] as const) expect(found(({ flow }) => flow.transport === transport && flow.expected === 'denied'), transport).to.deep.equal([700]);
    expect(found(({ flow }) => flow.expected === 'allowed')).to.deep.equal([1500]);
    const others = (of: typeof before): unknown => [of.controls, of.flows.map(({ nearWall, farWall, flow, probe }) => [nearWall, farWall, flow, probe.look.by === 'exchange' ? null : probe])];
    expect(others(after)).to.deep.equal(others(before));
    expect(after.controls.map(windowMs)).to.include(700);
    expect(after.flows.flatMap(({ farWall }) => (farWall === null ? [] : [windowMs(farWall)]))).to.include(700).and.not.include(480);
  });
  it('leaves tries and their times as they are', () => {
    const tries = (of: typeof before): unknown => of.flows.map(({ probe: { look } }) => (look.by === 'exchange' ? { ...look.exchange, windowMs: 0 } : null));
    expect(tries(after)).to.deep.equal(tries(before));
  });
  it('is told once for each source, destination and network', () => {
    expect(windows).to.deep.include({ from: 'joi', to: 'ntp', network: 'vmbr1', roundTripMs: 160, windowMs: 480 });
    expect(windows).to.deep.include({ from: 'joi', to: 'internet', network: 'wan', roundTripMs: 150, windowMs: 450 });
    expect(windows).to.deep.include({ from: 'joi', to: null, network: 'wan', roundTripMs: null, windowMs: 700 });
    expect(new Set(windows.map(({ from, to, network }) => `${from} ${to} ${network}`)).size).to.equal(windows.length);
  });
  it('fits together with the windows that are told', () => {
    const account = { inventory, discovery: beaconed, plan: after };
    expect(misfits(account, windows)).to.deep.equal([]);
    expect(misfits(account, windows.filter(({ from, to }) => from !== 'joi' || to !== 'ntp')).join('\n')).to.match(/^joi -> ntp vmbr1 tcp\/\d+: its look has a window of 480 ms; that of joi -> ntp vmbr1 is not there$/m);
  });
  it('knows the floor of the inventory, which no look has', () => {
    const own: Inventory = { ...inventory, site: { ...inventory.site, timing: { ...inventory.site.timing, denied: { ...denied, floorMs: 500 } } } };
    const floored = plan({ inventory: own });
    expect(JSON.stringify(floored)).to.not.include('floorMs');
    expect(withWindows(floored, { inventory: own, discovery }, measured).windows).to.deep.include({ from: 'joi', to: 'ntp', network: 'vmbr1', roundTripMs: 160, windowMs: 500 });
  });
});
