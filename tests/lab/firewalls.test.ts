// Firewalls that are stricter, other or more open than the matrix: each other way to say no stays green, and no closed port
// hides a hole. Which cells those are is reckoned from the lab's own map. Holes by the dozen are tests/mutation's business.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { untilReady } from '../../lab/ready.ts';
import { machines, nebula, publicNames, vmbr1, wan } from '../../lab/topology.ts';
import { type Cell, npmTest, ruleHandle } from './harness.ts';
import { either, expectReasons, expectVerdicts, faults, nothing } from './verdicts.ts';

type Vm = 'mesh' | 'joi' | 'ntp' | 'gateway';
type Chain = 'input' | 'output' | 'forward';

/** Ahead of all rules; setPhase takes it back. */
const insert = (machine: Vm, chain: Chain, rule: string): Promise<unknown> => exec(machine, ['nft', `insert rule inet filter ${chain} ${rule}`]);
/** Behind all rules: for what they do not let through. */
const append = (machine: Vm, chain: Chain, rule: string): Promise<unknown> => exec(machine, ['nft', `add rule inet filter ${chain} ${rule}`]);

const isLinkLocal = ({ id }: Cell): boolean => / \S+\/ll /.test(id);
const devices = (machine: Vm, bridge: 'vmbr1' | 'wan'): string => machines[machine].interfaces.find((one) => one.bridge === bridge)?.name ?? '';

describe('Nebula from its own port alone', () => {
  const fault = faults();
  const strict = (machine: 'mesh' | 'joi', chain: 'input' | 'output') => async (): Promise<void> => {
    const [from, to] = (machine === 'mesh') === (chain === 'output') ? [vmbr1.mesh, vmbr1.joi] : [vmbr1.joi, vmbr1.mesh];
    await exec(machine, ['nft', 'delete', 'rule', 'inet', 'filter', chain, 'handle', await ruleHandle(machine, chain, 'udp dport 4242')]);
    await append(machine, chain, `ip saddr ${from} ip daddr ${to} udp sport 4242 udp dport 4242 accept`);
  };

  const expectStricter = async (): Promise<void> => {
    await untilReady();
    const ran = await npmTest();
    expectVerdicts(ran, nothing);
    expectReasons(ran.cells.filter(({ expected, proto, port }) => expected === 'allowed' && proto === 'udp' && port === nebula.udpPort), /the overlay works/);
  };

  it('into both is stricter than the matrix, and green by the overlay', async () => {
    await fault(strict('mesh', 'input'));
    await fault(strict('joi', 'input'));
    await expectStricter();
  });

  it('into and out of both is so too', async () => {
    for (const machine of ['mesh', 'joi'] as const) for (const chain of ['input', 'output'] as const) await fault(strict(machine, chain));
    await expectStricter();
  });
});

describe('replies that mesh does not let back in', () => {
  const fault = faults();

  it('fail their rows: the path is open and the reply is lost', async () => {
    await fault(() => insert('mesh', 'input', `ip saddr ${vmbr1.ntp} udp sport 123 drop`));
    await fault(() => insert('mesh', 'input', `ip saddr ${nebula.joi} tcp sport 8443 drop`));
    const red = expectVerdicts(await npmTest(), either([`mesh ${vmbr1.ntp} udp/123`, `mesh ${nebula.joi} tcp/8443`], 'fail'));
    expectReasons(red, /no service, or the reply is lost: the path is open/);
  });
});

describe('a firewall that says no aloud', () => {
  const fault = faults();
  const ways = [
    ['a RST', 'meta l4proto tcp reject with tcp reset', 'refused'],
    ['port unreachable', 'reject with icmp type port-unreachable', 'refused'],
    ['a prohibition', 'reject with icmp type admin-prohibited', 'rejected'],
  ] as const;
  for (const to of ['joi', 'ntp'] as const)
    for (const [answer, rule, seen] of ways)
      it(`${to} says ${answer} to mesh: no verdict changes for the worse`, async () => {
        await fault(() => insert('mesh', 'output', `ip daddr ${vmbr1[to]} accept`));
        await fault(() => append(to, 'input', `ip saddr ${vmbr1.mesh} ${rule}`));
        const ran = await npmTest();
        const over = ({ from, address, proto, expected }: Cell): boolean => from === 'mesh' && address === vmbr1[to] && proto === 'tcp' && expected === 'denied';
        // A closed port says RST too. Where no listener of ours can stand and no service is, no one can tell.
        const untold = (cell: Cell): boolean => to === 'ntp' && answer === 'a RST' && over(cell) && cell.port !== 22;
        expectVerdicts(ran, (cell) => (untold(cell) ? 'shown' : null));
        // The kernel limits how many ICMP errors it sends, so some are silent.
        expect(new Set(ran.cells.filter(over).map(({ outcome }) => outcome.seen))).to.include(seen);
        expect([seen, 'silent']).to.include.members([...new Set(ran.cells.filter(over).map(({ outcome }) => outcome.seen))]);
      });
});

describe('a hole', () => {
  const fault = faults();

  it('from joi into ntp, on a closed port whose RST comes back, is not green', async () => {
    await fault(() => insert('joi', 'output', `ip daddr ${vmbr1.ntp} tcp dport 9090 accept`));
    await fault(() => insert('ntp', 'input', `ip saddr ${vmbr1.joi} tcp dport 9090 accept`));
    expectVerdicts(await npmTest(), either([`joi ${vmbr1.ntp} tcp/9090`], 'red'));
  });

  it('from joi into ntp, on a closed port whose RST is lost, is not green', async () => {
    await fault(() => insert('joi', 'output', `ip daddr ${vmbr1.ntp} tcp dport 9090 accept`));
    await fault(() => insert('ntp', 'input', `ip saddr ${vmbr1.joi} tcp dport 9090 accept`));
    await fault(() => insert('ntp', 'output', `ip daddr ${vmbr1.joi} tcp sport 9090 drop`));
    expectVerdicts(await npmTest(), either([`joi ${vmbr1.ntp} tcp/9090`], 'red'));
  });

  it('from joi into ntp over UDP, on a closed port whose refusal is lost', async () => {
    await fault(() => insert('joi', 'output', `ip daddr ${vmbr1.ntp} udp dport 5353 accept`));
    await fault(() => insert('ntp', 'input', `ip saddr ${vmbr1.joi} udp dport 5353 accept`));
    await fault(() => insert('ntp', 'output', `ip daddr ${vmbr1.joi} icmp type destination-unreachable drop`));
    expectReasons(expectVerdicts(await npmTest(), either([`joi ${vmbr1.ntp} udp/5353`], 'fail')), /reached: ntp's connection tracking has it/);
  });
});

describe('stock ufw on mesh and joi, with the rows of the matrix as its rules', () => {
  const fault = faults();
  const inside = (machine: 'mesh' | 'joi'): string => devices(machine, 'vmbr1');
  const outside = devices('mesh', 'wan');
  const rules = {
    mesh: [
      `in on ${inside('mesh')} from ${vmbr1.gateway} to ${vmbr1.mesh} port 22 proto tcp`,
      `in on ${inside('mesh')} from ${vmbr1.joi} to ${vmbr1.mesh} port ${nebula.udpPort} proto udp`,
      `in on nebula1 from ${nebula.joi} to ${nebula.mesh} port 8444 proto tcp`,
      `out on nebula1 to ${nebula.joi} port 8443 proto tcp`,
      `out on ${inside('mesh')} from ${vmbr1.mesh} to ${vmbr1.joi} port ${nebula.udpPort} proto udp`,
      `out on ${inside('mesh')} to ${vmbr1.ntp} port 123 proto udp`,
      ...[...publicNames['chat.signal.org'], ...publicNames['storage.signal.org']].map((address) => `out on ${outside} to ${address} port 443 proto tcp`),
      `out on ${outside} to ${wan.internet} port 53 proto udp`,
      `out on ${outside} from any port 68 to ${wan.internet} port 67 proto udp`,
    ],
    joi: [
      `in on ${inside('joi')} from ${vmbr1.gateway} to ${vmbr1.joi} port 22 proto tcp`,
      `in on ${inside('joi')} from ${vmbr1.mesh} to ${vmbr1.joi} port ${nebula.udpPort} proto udp`,
      `in on nebula1 from ${nebula.mesh} to ${nebula.joi} port 8443 proto tcp`,
      `out on nebula1 to ${nebula.mesh} port 8444 proto tcp`,
      `out on ${inside('joi')} from ${vmbr1.joi} to ${vmbr1.mesh} port ${nebula.udpPort} proto udp`,
      `out on ${inside('joi')} to ${vmbr1.ntp} port 123 proto udp`,
      'out on docker0 to 172.17.0.2 port 11434 proto tcp',
    ],
  } as const;
  const ufw = async (machine: 'mesh' | 'joi'): Promise<void> => {
    const lines = ['ufw default deny incoming', 'ufw default deny outgoing', ...rules[machine].map((rule) => `ufw allow ${rule}`), 'nft delete table inet filter', 'ufw --force enable'];
    // ufw's own sysctls (it sets rp_filter) go with it.
    const reset = 'ufw --force disable && rm -f /etc/ufw/*.rules.2* && sysctl -q -p /etc/sysctl.conf';
    await fault(() => exec(machine, ['sh', '-ec', `cp -a /etc/ufw /tmp/ufw; ${lines.join('\n')}`]), () => exec(machine, ['sh', '-ec', `${reset}; rm -rf /etc/ufw; mv /tmp/ufw /etc/ufw`]));
  };

  it('lets ICMP echo in, from whoever may send it, and over IPv6 out as well', async () => {
    await ufw('mesh');
    await ufw('joi');
    await untilReady();
    // before.rules: echo requests in and forwarded, which joi does for Docker. before6.rules: in and out. ntp and gateway send
    // none, and let none in. Who takes joi over gets past its own firewall to all that mesh lets in.
    const echoes = ({ from, to, proto, network, by, ...cell }: Cell): boolean => {
      if (proto !== 'icmp') return false;
      if (by !== null) return by === 'joi' || (by === 'mesh' && to === 'mesh');
      if (from === 'operator') return to === 'mesh' && network === 'wan';
      if (from === 'joi' && to === 'mesh' && ['vmbr1', 'nebula'].includes(network)) return true;
      return ['mesh', 'joi'].includes(from) && ['mesh', 'joi'].includes(to) && isLinkLocal({ from, to, proto, network, by, ...cell });
    };
    expectReasons(expectVerdicts(await npmTest(), (cell) => (echoes(cell) ? 'fail' : null)), /reached: (echo reply|joi's connection tracking has it)/);
  });
});
