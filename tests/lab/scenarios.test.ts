// What happens to the verdicts when one thing in the lab is other than the matrix says. Which cells must turn red is
// reckoned here from the lab's own map, never from the plan of the harness.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { publicAddresses, publicNames, publicResolvers, wan } from '../../lab/topology.ts';
import { expectRed, npmTest, ruleHandle, shipped, tuple } from './harness.ts';

/** Everything beyond the WAN that joi has no business with: internet answers on every port of all of these. */
const internet = [...publicAddresses, wan.internet];
const temporaryPorts = [53, 80, 443];
const fromJoi = (addresses: readonly string[], ports: readonly number[]): string[] =>
  addresses.flatMap((address) => ports.map((port) => tuple({ from: 'joi', address, proto: 'tcp', port })));

/** The first address of each target: what the families beyond the matrix ask. */
const firstOfEach = [publicNames['chat.signal.org'][0], publicNames['time.cloudflare.com'][0], publicNames['github.com'][0], publicNames['example.com'][0], publicResolvers[0], wan.internet];
const fromOwnPort = (ports: readonly number[]): string[] => firstOfEach.flatMap((address) => ports.map((port) => tuple({ from: 'joi', address, proto: 'tcp', port, sourcePort: port })));

/** What the targets of the shipped inventory serve: where a TEMP row can be seen to work. */
const served = [
  ...fromJoi([...publicNames['chat.signal.org'], ...publicNames['storage.signal.org']], [443]),
  ...fromJoi([...publicNames['github.com'], ...publicNames['example.com']], [80, 443]),
  ...fromJoi(publicResolvers, [53, 443]),
];

describe('the harness against the lab', () => {
  afterEach(() => setPhase('steady'));

  it('is green when the firewalls are as the matrix says', async () => {
    const ran = await npmTest(shipped);
    expectRed(ran, {});
    const ntp = ran.cells.filter(({ expected, proto, port }) => expected === 'allowed' && proto === 'udp' && port === 123);
    expect(ntp).to.have.length(4);
    for (const { note } of ntp) expect(note, 'the time that ntp-client got through the relay').to.match(/^ntp-client: 2\d{3}-/);
  });

  it('is green in phase setup when the TEMP rules are loaded', async () => {
    await setPhase('setup');
    const ran = await npmTest({ FLOWPROOF_PHASE: 'setup', ...shipped });
    expectRed(ran, {});
    expect(ran.cells.filter(({ row, expected }) => row === 'joi-any-wan' && expected === 'allowed').map(tuple)).to.have.members(served);
  });

  it('fails the TEMP rows alone in phase setup against the steady firewall', async () => {
    const ran = await npmTest({ FLOWPROOF_PHASE: 'setup' });
    expectRed(ran, { fail: served });
    for (const cell of ran.cells.filter(({ verdict }) => verdict === 'fail')) expect(cell.reason).to.match(/^blocked/);
  });

  it("fails joi's way out alone in phase steady against the setup firewall", async () => {
    await setPhase('setup');
    expectRed(await npmTest(), { fail: [...fromJoi(internet, temporaryPorts), ...fromOwnPort([53, 443])] });
  });

  it('fails exactly the cells that a hole opens, and none once it is closed', async () => {
    await exec('joi', ['nft', 'insert', 'rule', 'inet', 'filter', 'output', 'tcp', 'dport', '443', 'accept']);
    await exec('gateway', ['nft', 'insert', 'rule', 'inet', 'filter', 'forward', 'tcp', 'dport', '443', 'accept']);
    // The gateway's rule asks for no source: what mesh's root sends it by frames goes out as well.
    const byGateway = firstOfEach.map((address) => tuple({ from: 'mesh', address, proto: 'tcp', port: 443, by: 'gateway' }));
    const ran = await npmTest();
    expectRed(ran, { fail: [...fromJoi(internet, [443]), ...fromOwnPort([443]), ...byGateway] });
    for (const machine of ['joi', 'gateway']) expect(ran.output, 'what a boot would undo').to.match(new RegExp(`warning: ${machine}: the rules that run are not those that its boot loads .*: 1 run alone, such as "inet filter .*tcp dport 443 accept"`));
    expect(ran.output).to.not.match(/warning: (mesh|ntp)/);
    await exec('joi', ['nft', 'delete', 'rule', 'inet', 'filter', 'output', 'handle', await ruleHandle('joi', 'output', 'tcp dport 443 accept')]);
    await exec('gateway', ['nft', 'delete', 'rule', 'inet', 'filter', 'forward', 'handle', await ruleHandle('gateway', 'forward', 'tcp dport 443 accept')]);
    expectRed(await npmTest(), {});
  });

  it('fails exactly the row whose rule is gone, and says that the source blocks it', async () => {
    await exec('mesh', ['nft', 'delete', 'rule', 'inet', 'filter', 'output', 'handle', await ruleHandle('mesh', 'output', 'udp dport 123')]);
    const ran = await npmTest();
    expectRed(ran, { fail: ['mesh 172.22.22.3 udp/123'] });
    expect(ran.cells.find(({ verdict }) => verdict === 'fail')?.reason).to.match(/blocked: at the source.*EPERM/);
  });

  it('fails exactly the row whose far end blocks it', async () => {
    await exec('joi', ['nft', 'delete', 'rule', 'inet', 'filter', 'input', 'handle', await ruleHandle('joi', 'input', 'tcp dport 8443')]);
    const ran = await npmTest();
    expectRed(ran, { fail: ['mesh 10.42.0.10 tcp/8443'] });
    expect(ran.cells.find(({ verdict }) => verdict === 'fail')?.reason).to.match(/blocked: silent/);
  });
});

describe('our listener on joi, with mesh let out to its port 9090 on vmbr1', () => {
  const cell = 'mesh 172.22.22.2 tcp/9090';
  const insert = (machine: 'mesh' | 'joi', ...rule: readonly string[]): ReturnType<typeof exec> => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', ...rule]);
  beforeEach(() => insert('mesh', 'output', 'ip daddr 172.22.22.2 tcp dport 9090 accept'));
  afterEach(() => setPhase('steady'));

  it('shows that joi drops it', async () => {
    const ran = await npmTest();
    expectRed(ran, {});
    const found = ran.cells.find((one) => tuple(one) === cell);
    expect(found?.grade).to.equal('proven');
    expect(found?.controls).to.include('listener joi 172.22.22.2 tcp/9090 before').and.to.include('listener joi 172.22.22.2 tcp/9090 after');
  });

  it('tells a RST of a firewall from that of a closed port', async () => {
    await insert('joi', 'input', 'ip saddr 172.22.22.1 tcp dport 9090 reject with tcp reset');
    const ran = await npmTest();
    expectRed(ran, {});
    const found = ran.cells.find((one) => tuple(one) === cell);
    expect(found?.outcome.seen).to.equal('refused');
    expect(found?.grade).to.equal('proven');
  });

  it('is reached where joi lets it in, though no service is there', async () => {
    await insert('joi', 'input', 'ip saddr 172.22.22.1 tcp dport 9090 accept');
    expectRed(await npmTest(), { fail: [cell] });
  });

  it('is reached though the replies are lost on their way back', async () => {
    await insert('joi', 'input', 'ip saddr 172.22.22.1 tcp dport 9090 accept');
    await insert('joi', 'output', 'oifname "eth0" tcp sport 9090 drop');
    const ran = await npmTest();
    expectRed(ran, { fail: [cell] });
    expect(ran.cells.find(({ verdict }) => verdict === 'fail')?.reason).to.match(/reached: our listener got it \(a handshake without its end\)/);
  });
});

describe('nothing leaves the seat', () => {
  const counted = async (): Promise<number> => {
    const listing = await mustRun('operator', ['nft', 'list', 'chain', 'inet', 'seat', 'out']);
    return Number(/counter packets (\d+)/.exec(listing)?.[1] ?? Number.NaN);
  };
  before(() =>
    mustRun('operator', ['nft', '-f', '-'], {
      // The kernel's own neighbour discovery is no packet of ours.
      input: ['table inet seat {', 'chain out {', 'type filter hook output priority -200', 'oifname "eth0" meta l4proto != ipv6-icmp counter', '}', '}', ''].join('\n'),
    }),
  );
  after(() => mustRun('operator', ['nft', 'delete', 'table', 'inet', 'seat']));

  it("when the gateway's host key is not on file", async () => {
    await mustRun('operator', ['sh', '-c', 'mv /root/.ssh/known_hosts /root/.ssh/aside && ssh-keygen -F 172.22.22.2 -f /root/.ssh/aside >/root/.ssh/known_hosts']);
    const ran = await npmTest();
    await mustRun('operator', ['mv', '/root/.ssh/aside', '/root/.ssh/known_hosts']);
    expect(await counted()).to.equal(0);
    expect(ran.exitCode).to.not.equal(0);
    expect(ran.output).to.match(/no host key on file for 198\.51\.100\.4/);
    expect(new Set(ran.cells.map(({ verdict }) => verdict))).to.deep.equal(new Set(['inconclusive']));
  });

  it('when the inventory has a mistake', async () => {
    await mustRun('operator', ['sh', '-c', 'echo "{}" >/tmp/bad.json']);
    const ran = await npmTest({ FLOWPROOF_INVENTORY: '/tmp/bad.json' });
    expect(await counted()).to.equal(0);
    expect(ran.exitCode).to.not.equal(0);
    expect(ran.output).to.include('/tmp/bad.json').and.to.include('$.matrix');
  });

  it('or else the counter would have seen it', async () => {
    await mustRun('operator', ['ssh', 'gateway', 'true']);
    expect(await counted()).to.be.greaterThan(0);
  });
});
