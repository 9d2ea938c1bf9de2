// The estate's inventory is one that flowproof takes, says what the three rules say, and agrees with the VMs' own part in the ring.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { estateMachines, inventoryOf, ringOf, sizes, sshConfigOf, vmNamesOf } from '../../lab/estate.ts';
import { within } from '../../lib/address.ts';
import { parseInventory } from '../../lib/inventory.ts';

const lab = join(import.meta.dirname, '../../lab');
const inventory = (hosts: number) => parseInventory(inventoryOf(hosts), 'inventory.json');

describe('estate', () => {
  for (const hosts of [sizes.least, 6, 100, sizes.most])
    it(`of ${hosts} hosts has an inventory without a mistake`, () => expect(Object.keys(inventory(hosts).matrix.hosts)).to.have.length(hosts));

  it('has a matrix that is checked by hand', () =>
    expect(inventory(4).matrix.flows.map(({ from, to, network, transport, ports, speaks }) => `${from} -> ${to} ${network} ${transport}/${ports.join()} ${speaks}`)).to.deep.equal([
      'operator -> gateway wan tcp/22 ssh',
      'gateway -> vm1 vmbr1 tcp/22 ssh', 'gateway -> vm2 vmbr1 tcp/22 ssh', 'gateway -> vm3 vmbr1 tcp/22 ssh',
      'vm1 -> vm2 vmbr1 tcp/8443 tcp', 'vm2 -> vm3 vmbr1 tcp/8443 tcp', 'vm3 -> vm1 vmbr1 tcp/8443 tcp',
      'vm2 -> vm1 vmbr1 udp/123 ntp', 'vm3 -> vm1 vmbr1 udp/123 ntp',
    ]));

  it('tells each VM its own address, and those before and after it', () =>
    expect(vmNamesOf(4).map((name) => ringOf(name, 4).match(/\d+\.\d+\.\d+\.\d+/g))).to.deep.equal([
      ['172.22.22.11', '172.22.22.13', '172.22.22.12'], ['172.22.22.12', '172.22.22.11', '172.22.22.13'], ['172.22.22.13', '172.22.22.12', '172.22.22.11'],
    ]));

  it('has no address but the lab\'s, none twice, all in the ranges that its firewalls name', () => {
    const nics = [...estateMachines(sizes.most).values()].flatMap(({ interfaces }) => interfaces);
    const addresses = nics.map(({ address }) => address.split('/')[0] ?? '');
    expect(new Set(addresses).size).to.equal(addresses.length);
    for (const { bridge, address } of nics) expect(within(address.split('/')[0] ?? '', bridge === 'wan' ? '198.51.100.0/24' : '172.22.22.0/24'), address).to.equal(true);
    const numbers = vmNamesOf(sizes.most).map((name) => Number(ringOf(name, sizes.most).match(/self = 172\.22\.22\.(\d+)/)?.[1]));
    const range = `172.22.22.${Math.min(...numbers)}-172.22.22.${Math.max(...numbers)}`;
    for (const file of ['estate/gateway.nft', 'machines/vm/etc/nftables.conf']) expect(readFileSync(join(lab, file), 'utf8'), file).to.include(range);
  });

  it('tells each machine the Ethernet addresses of all others, by both families', () => {
    const machines = [...estateMachines(6)].flatMap(([name, { interfaces }]) => interfaces.flatMap(({ neighbours, mac }) => (neighbours === undefined ? [] : [{ name, neighbours, mac }])));
    expect(machines).to.have.length(6);
    for (const { name, neighbours } of machines) {
      const others = machines.filter((other) => other.name !== name).map(({ mac }) => mac);
      expect(neighbours.map(({ mac }) => mac), name).to.have.members([...others, ...others]);
    }
  });

  it('goes through the gateway to each VM', () => expect(sshConfigOf(4)).to.include('Host vm3\n  HostName 172.22.22.13\n  User root\n  ProxyJump gateway\n'));
});
