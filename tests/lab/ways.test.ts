// The other ways in and out, and the walls one by one: each fault opens one of them, and exactly its cells turn red.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun, run } from '../../lab/inside.ts';
import { firewallOf, setPhase } from '../../lab/phase.ts';
import { publicAddresses, publicNames, publicResolvers, vmNames, wan } from '../../lab/topology.ts';
import { expectRed, npmTest, shipped, tuple, type Cell, type Ran } from './harness.ts';

const internet = [...publicAddresses, wan.internet];
/** The first address of each target: what the families beyond the matrix ask. */
const firstOfEach = [publicNames['chat.signal.org'][0], publicNames['time.cloudflare.com'][0], publicNames['github.com'][0], publicNames['example.com'][0], publicResolvers[0], wan.internet];
const cells = (addresses: readonly string[], proto: string, port: number, over: Partial<Pick<Cell, 'sourcePort' | 'by'>> = {}): string[] => addresses.map((address) => tuple({ from: 'joi', address, proto, port, ...over }));
const insert = (machine: 'mesh' | 'joi' | 'ntp' | 'gateway', ...rule: readonly string[]): ReturnType<typeof exec> => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', ...rule]);
const takeover = ({ output }: Ran): string => output.split('\n').find((line) => line.startsWith('if joi is taken over')) ?? '';

describe('the intact lab', () => {
  let ran: Ran;
  before(async () => {
    ran = await npmTest(shipped);
  });
  const denied = (fits: (cell: Cell) => boolean): readonly Cell[] => ran.cells.filter((cell) => cell.expected === 'denied' && cell.family !== 'no path' && fits(cell));

  it('proves what is denied between our machines', () => {
    const between = denied(({ from, to }) => [...vmNames, 'operator'].includes(from) && [...vmNames, 'operator'].includes(to));
    expect(between.length).to.be.greaterThan(1500);
    expect(between.filter(({ grade }) => grade !== 'proven').map(({ id, reason }) => `${id}: ${reason}`)).to.deep.equal([]);
  });
  it("proves joi's way to the internet closed, end to end and by the gateway's wall alone", () => {
    const out = denied(({ from, address }) => from === 'joi' && internet.includes(address ?? ''));
    expect(out.length).to.be.greaterThan(400);
    expect(out.filter(({ grade }) => grade !== 'proven').map(({ id }) => id), 'end to end').to.deep.equal([]);
    const asked = out.filter(({ by }) => by === null);
    expect(asked.filter(({ walls }) => walls?.far.stands !== true || walls.far.grade !== 'proven').map(({ id, walls }) => `${id}: ${walls?.far.reason}`), 'the far wall').to.deep.equal([]);
    expect(asked.filter(({ walls }) => walls?.near.stands !== true).map(({ id, walls }) => `${id}: ${walls?.near.reason}`), 'the near wall').to.deep.equal([]);
  });
  it('says what who takes joi over can reach', () => expect(takeover(ran)).to.match(/^if joi is taken over as root, it can reach: nothing that is denied \(of \d+ .* 0 could not be told; its own firewall lets 0 of them out\)/));
});

describe('one way alone is open', () => {
  afterEach(() => setPhase('steady'));

  it("the gateway's wall: joi's own firewall stops it still, but who takes joi over gets out", async () => {
    await insert('gateway', 'forward', 'ip saddr 172.22.22.2 tcp dport 443 accept');
    const ran = await npmTest();
    const open = [...cells(internet, 'tcp', 443), ...cells(firstOfEach, 'tcp', 443, { sourcePort: 443 })];
    expectRed(ran, { fail: open });
    for (const { reason } of ran.cells.filter(({ verdict }) => verdict === 'fail')) expect(reason).to.match(/^open to who takes the machine over: past its own firewall, it is reached/);
    expect(takeover(ran)).to.include(`it can reach: ${open.length} denied flows: `);
  });

  it("joi's wall: the gateway stops it still", async () => {
    await insert('joi', 'output', 'oifname "eth0" ip daddr != 172.16.0.0/12 tcp dport 443 accept');
    const ran = await npmTest();
    expectRed(ran, {});
    const open = ran.cells.filter(({ walls }) => walls?.near.stands === false);
    // The operator and the machines' WAN addresses are on the internet's side for that rule.
    expect(open.map(tuple)).to.include.members([...cells(internet, 'tcp', 443), ...cells(firstOfEach, 'tcp', 443, { sourcePort: 443 })]);
    for (const { proto, port } of open) expect(`${proto}/${port}`).to.equal('tcp/443');
    for (const { grade, walls, id } of open) expect([grade, walls?.far.stands], id).to.deep.equal(['proven', true]);
  });

  it('by mesh, which forwards', async () => {
    await mustRun('mesh', ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=1']);
    await mustRun('mesh', ['nft', '-f', '-'], { input: 'table ip other {\nchain out {\ntype nat hook postrouting priority srcnat\noifname "eth0" masquerade\n}\n}\n' });
    await insert('mesh', 'forward', 'iifname "eth1" oifname "eth0" accept');
    try {
      const ran = await npmTest();
      // Also the other machines' WAN addresses: mesh let it through, whatever they made of it.
      const elsewhere = ran.cells.filter(({ family, by, to, network }) => family === 'another way' && by === 'mesh' && ['ntp', 'gateway'].includes(to) && network === 'wan').map(tuple);
      expect(elsewhere).to.have.length(6);
      const over = { by: 'mesh' };
      expectRed(ran, { fail: [...cells(firstOfEach, 'tcp', 443, over), ...cells(firstOfEach, 'udp', 53, over), ...cells(firstOfEach, 'icmp', 0, over), ...elsewhere] });
    } finally {
      await mustRun('mesh', ['nft', 'delete', 'table', 'ip', 'other']);
      await mustRun('mesh', ['sysctl', '-q', '-w', 'net.ipv4.ip_forward=0']);
    }
  });

  it('a connection from setup that lives on', async () => {
    await setPhase('setup');
    const connect = "import socket,time; s=socket.create_connection(('198.18.20.1',443),5); print('up',flush=True); time.sleep(90)";
    await mustRun('joi', ['sh', '-c', `python3 -c "$0" >/tmp/kept 2>&1 & n=0; until grep -q up /tmp/kept; do n=$((n+1)); [ $n -lt 100 ] || exit 1; sleep 0.1; done`, connect]);
    try {
      // As an operator loads them: with no thought of what the table of connections holds.
      for (const name of ['joi', 'gateway'] as const) await mustRun(name, ['nft', '-f', '-'], { input: await firewallOf(name, 'steady') });
      const ran = await npmTest();
      expect(ran.cells.filter(({ verdict }) => verdict !== 'pass').map(({ id }) => id)).to.deep.equal(['joi => surviving sessions']);
      expect(ran.cells.find(({ id }) => id === 'joi => surviving sessions')?.reason).to.match(/lives on that no row allows; end it.*dst=198\.18\.20\.1/);
      expect(ran.exitCode).to.not.equal(0);
    } finally {
      await run('joi', ['pkill', '-f', 'create_connection']);
      await setPhase('setup'); // so that the change back to steady forgets the connection
    }
  });
});
