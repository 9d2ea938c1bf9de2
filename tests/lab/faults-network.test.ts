// Services and networks that fail: names, time, the overlay, an address family, a port that another program holds. Which
// cells must change is reckoned from the lab's own map, never from what came out.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun, run } from '../../lab/inside.ts';
import { start, stop } from '../../lab/services.ts';
import { docker, machines, type MachineName, nebula, publicNames, publicResolvers, vmbr1, wan } from '../../lab/topology.ts';
import { type Cell, npmTest } from './harness.ts';
import { either, expectReasons, expectVerdicts, faults, flowOf, nothing, type Reckoned } from './verdicts.ts';

const shell = (machine: MachineName, line: string): Promise<string> => mustRun(machine, ['sh', '-c', line]);

/** What answers DNS and is probed by its address: with dnsmasq gone no other vantage shows that their port 53 is alive. */
const resolvers: ReadonlySet<string> = new Set([...publicResolvers, wan.internet]);

/** A name that does not resolve stands for itself; of its second address and its third nothing is known then. */
function withoutNames({ to, address, proto, port }: Cell): Reckoned {
  const [name = '', number] = to.split('#');
  if (Object.hasOwn(publicNames, name)) return number === undefined ? 'inconclusive' : 'none';
  return resolvers.has(address ?? '') && proto !== 'icmp' && port === 53 ? 'shown' : null;
}

describe('names and leases', () => {
  const fault = faults();

  it('without DNS: its rows fail, and what is known by a name alone cannot be looked at', async () => {
    const restore = (): Promise<unknown> => shell('internet', 'cp /tmp/dnsmasq.conf /etc/dnsmasq.conf && service dnsmasq restart');
    await fault(() => shell('internet', 'cp /etc/dnsmasq.conf /tmp/dnsmasq.conf && echo port=0 >>/etc/dnsmasq.conf && service dnsmasq restart'), restore);
    const rows = [`mesh ${wan.internet} udp/53`, `ntp ${wan.internet} udp/53`];
    const red = expectVerdicts(await npmTest(), (cell) => either(rows, 'fail')(cell) ?? withoutNames(cell));
    expectReasons(red.filter(({ row }) => row.endsWith('-dns')), /no service|refused by the target/);
    expectReasons(red.filter(({ address }) => address === null), /could not look \(resolve\): \S+ has no address: mesh asked 198\.51\.100\.1, ntp asked 198\.51\.100\.1/);
  });

  it('without dnsmasq: DHCP fails as well, and on the WAN mesh and ntp are green by proof alone', async () => {
    await fault(() => stop('internet', 'dnsmasq'), () => start('internet', 'dnsmasq'));
    const rows = ['mesh', 'ntp'].flatMap((from) => [53, 67].map((port) => `${from} ${wan.internet} udp/${port}`));
    // All that answers them there is DNS, DHCP and what they know by name: only their own firewalls' word is left.
    const unshown = ({ from, network, outcome }: Cell): Reckoned => (['mesh', 'ntp'].includes(from) && network === 'wan' && outcome.seen !== 'no path' ? 'shown' : null);
    const ofRows = (cell: Cell): Reckoned => (cell.expected === 'allowed' ? either(rows, 'fail')(cell) : null);
    const red = expectVerdicts(await npmTest(), (cell) => ofRows(cell) ?? withoutNames(cell) ?? unshown(cell));
    expectReasons(red.filter(({ row }) => row.endsWith('-dhcp')), /no service|refused by the target/);
  });
});

describe('time', () => {
  const fault = faults();
  const rows = [`mesh ${vmbr1.ntp} udp/123`, `joi ${vmbr1.ntp} udp/123`];
  const rewritten = async (edit: string): Promise<void> => {
    const restore = (): Promise<unknown> => shell('ntp', 'cp /tmp/chrony.conf /etc/chrony/chrony.conf && service chrony restart');
    await fault(() => shell('ntp', `cp /etc/chrony/chrony.conf /tmp/chrony.conf && sed -i '${edit}' /etc/chrony/chrony.conf && service chrony restart`), restore);
  };

  it('from a server that is not synchronised is no time', async () => {
    await rewritten('/^server/d');
    expectReasons(expectVerdicts(await npmTest(), either(rows, 'fail')), /NTP server is not synchronised/);
  });

  it('for some only: the row of the other fails alone', async () => {
    await rewritten(`s!^allow .*!allow ${vmbr1.mesh}!`);
    await shell('ntp', 'chronyc -n waitsync 100 0 0 0.1');
    expectReasons(expectVerdicts(await npmTest(), either([`joi ${vmbr1.ntp} udp/123`], 'fail')), /no service, or the reply is lost: the path is open/);
  });

  it('from a stopped server: no service, and the path is open', async () => {
    await fault(() => stop('ntp', 'chrony'), () => start('ntp', 'chrony'));
    expectReasons(expectVerdicts(await npmTest(), either(rows, 'fail')), /no service: the path is open/);
  });
});

describe('Nebula', () => {
  const fault = faults();

  it('stopped on joi: the overlay is gone, and its underlay is open', async () => {
    await fault(() => stop('joi', 'nebula'), () => start('joi', 'nebula'));
    const red = expectVerdicts(await npmTest(), (cell) => {
      if (cell.to === 'joi' && cell.network === 'nebula') return 'inconclusive';
      return either([`joi ${nebula.mesh} tcp/8444`, `mesh ${vmbr1.joi} udp/${nebula.udpPort}`], 'fail')(cell);
    });
    expectReasons(red.filter(({ to, network }) => to === 'joi' && network === 'nebula'), /joi does not hold 10\.42\.0\.10, its address on nebula/);
    expectReasons(red.filter(({ address }) => address === vmbr1.joi), /no service: the path is open/);
    expectReasons(red.filter(({ from, verdict }) => from === 'joi' && verdict === 'fail'), /blocked: its only way is/);
  });

  it('hanging on joi: its rows fail, and what is silent in the overlay is green by proof alone', async () => {
    await fault(() => shell('joi', 'kill -STOP "$(cat /run/nebula.pid)"'), () => shell('joi', 'kill -CONT "$(cat /run/nebula.pid)"; service nebula restart'));
    const rows = [`mesh ${nebula.joi} tcp/8443`, `joi ${nebula.mesh} tcp/8444`, `mesh ${vmbr1.joi} udp/${nebula.udpPort}`];
    const silent = ({ from, address, proto }: Cell): Reckoned =>
      proto === 'tcp' && ((from === 'mesh' && address === nebula.joi) || (from === 'joi' && address === nebula.mesh)) ? 'shown' : null;
    const red = expectVerdicts(await npmTest(), (cell) => either(rows, 'fail')(cell) ?? silent(cell));
    expectReasons(red.filter(({ address }) => address === vmbr1.joi), /no service, or the reply is lost: the path is open/);
  });
});

describe("joi's web server", () => {
  const fault = faults();
  const rows = [`mesh ${nebula.joi} tcp/8443`, `joi 127.0.0.1 tcp/${docker.ollamaPort}`];

  it('stopped: its rows fail', async () => {
    await fault(() => stop('joi', 'nginx'), () => start('joi', 'nginx'));
    expectReasons(expectVerdicts(await npmTest(), either(rows, 'fail')), /no service/);
  });

  it('hanging: it lets in, and answers nothing', async () => {
    const processes = '$(cat /run/nginx.pid) $(pgrep -P "$(cat /run/nginx.pid)")';
    await fault(() => shell('joi', `kill -STOP ${processes}`), () => shell('joi', `kill -CONT ${processes}`));
    expectReasons(expectVerdicts(await npmTest(), either(rows, 'fail')), /TCP connects, but nothing answers in (tls|ollama)/);
  });
});

describe('IPv6', () => {
  const fault = faults();

  it('switched off on the vmbr1 side of mesh: its link-local cells there are absent, and that is proof', async () => {
    const device = machines.mesh.interfaces.find(({ bridge }) => bridge === 'vmbr1')?.name ?? '';
    const setting = `/proc/sys/net/ipv6/conf/${device}/disable_ipv6`;
    // An address that is still tentative can't be used yet.
    const back = `echo 0 >${setting}; until ip -6 addr show dev ${device} scope link -tentative | grep -q inet6; do sleep 0.1; done`;
    await fault(() => shell('mesh', `echo 1 >${setting}`), () => shell('mesh', back));
    const ran = await npmTest();
    expectVerdicts(ran, nothing);
    const cells = ran.cells.filter(({ id, from, to }) => id.includes(' vmbr1/ll ') && [from, to].includes('mesh'));
    expect(cells.length).to.be.greaterThan(50);
    for (const cell of cells) expect({ id: cell.id, seen: cell.outcome.seen, grade: cell.grade }).to.deep.equal({ id: cell.id, seen: 'absent', grade: 'proven' });
  });
});

describe('a port of joi that another program holds', () => {
  const fault = faults();
  /** On all addresses, IPv6 as well; it takes connections and answers nothing. */
  const holder = [
    'import socket, sys, time',
    'kind = dict(tcp=socket.SOCK_STREAM, udp=socket.SOCK_DGRAM)[sys.argv[1]]',
    's = socket.socket(socket.AF_INET6, kind)',
    'kind == socket.SOCK_STREAM and s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)', // past what is left of old connections
    'for left in range(200, -1, -1):', // the one before, or a listener of the last run, may not have ended yet
    '    try:',
    '        s.bind(("::", int(sys.argv[2])))',
    '        break',
    '    except OSError:',
    '        if left == 0:',
    '            raise',
    '        time.sleep(0.05)',
    'kind == socket.SOCK_STREAM and s.listen(100)',
    'print("up", flush=True)',
    'time.sleep(600)',
  ].join('\n');
  const hold = (transport: 'tcp' | 'udp', port: number): Promise<void> => {
    const files = `/tmp/holder.${transport}`;
    // What the one before has said must be gone: the new file begins when the new process does.
    const begin = `rm -f ${files}.out; python3 -c '${holder}' ${transport} ${port} </dev/null >${files}.out 2>&1 & echo $! >${files}.pid; until grep -qs . ${files}.out; do sleep 0.05; done; grep -qx up ${files}.out`;
    return fault(() => shell('joi', begin), () => run('joi', ['sh', '-c', `kill "$(cat ${files}.pid)"`]));
  };
  const open = (machine: 'mesh' | 'joi', chain: 'input' | 'output', rule: string): Promise<void> =>
    fault(() => exec(machine, ['nft', 'insert', 'rule', 'inet', 'filter', chain, ...rule.split(' ')]));

  const expectNoListener = (cells: readonly Cell[]): void => {
    expect(cells.length).to.be.greaterThan(0);
    for (const { id, controls } of cells) expect(controls.filter((control) => control.startsWith('listener ')), `${id}: the port is taken`).to.deep.equal([]);
  };

  it('stays green while the firewalls hold', async () => {
    await hold('tcp', 9090);
    await hold('udp', 5353);
    const ran = await npmTest();
    expectVerdicts(ran, nothing);
    expectNoListener(ran.cells.filter(({ to, proto, port }) => to === 'joi' && (proto === 'tcp' ? port === 9090 : proto === 'udp' && port === 5353)));
  });

  it('is green by joi alone when mesh lets it out', async () => {
    await hold('tcp', 9090);
    await open('mesh', 'output', `ip daddr ${vmbr1.joi} tcp dport 9090 accept`);
    const ran = await npmTest();
    expectVerdicts(ran, nothing);
    const opened = ran.cells.filter((cell) => flowOf(cell) === `mesh ${vmbr1.joi} tcp/9090`);
    expectNoListener(opened);
    expectReasons(opened, /^silent; (?!.*the source's own firewall)/);
  });

  it('is red once it can be reached', async () => {
    await hold('tcp', 9090);
    await hold('udp', 5353);
    for (const [machine, chain] of [['mesh', 'output'], ['joi', 'input']] as const) {
      await open(machine, chain, `ip saddr ${vmbr1.mesh} ip daddr ${vmbr1.joi} tcp dport 9090 accept`);
      await open(machine, chain, `ip saddr ${vmbr1.mesh} ip daddr ${vmbr1.joi} udp dport 5353 accept`);
    }
    const red = expectVerdicts(await npmTest(), either([`mesh ${vmbr1.joi} tcp/9090`, `mesh ${vmbr1.joi} udp/5353`], 'fail'));
    expectReasons(red, /^reached/);
  });
});
