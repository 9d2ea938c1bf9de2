// Least privilege, as docs/least-privilege.md sets it up: with a key that starts the prober alone, and sudo for it alone, the
// whole run works; whatever else the key is used for is refused.
import { expect } from 'chai';
import { mustRun, run } from '../../lab/inside.ts';
import { repository } from '../../lab/up.ts';
import { program } from '../../lib/prober/program.ts';
import { bootCommand } from '../../lib/boot.ts';
import { npmTest } from './harness.ts';

const hosts = ['mesh', 'joi', 'ntp', 'gateway', 'internet'] as const;
type Host = (typeof hosts)[number];
const script = '/usr/local/libexec/flowproof-prober';
const keysOf = (host: Host): string => (host === 'mesh' || host === 'joi' ? '/home/admin/.ssh/authorized_keys' : '/root/.ssh/authorized_keys');

type Said = Readonly<{ stdout: string; stderr: string; exitCode: number }>;
const type = (argv: readonly string[], input = ''): Promise<Said> => run('operator', argv, { dir: repository, input });
const ssh = (argv: readonly string[], input = ''): Promise<Said> => type(['ssh', '-o', 'BatchMode=yes', ...argv], input);

/** The three parts, as the command prints them at the operator's seat. */
async function forcedCommand(host: Host): Promise<readonly [script: string, sudoers: string, key: string]> {
  const printed = await mustRun('operator', ['npm', 'run', '--silent', 'prober', '--', 'forced-command', host], { dir: repository });
  const [, text = '', sudoers = '', key = ''] = printed.split(/^# ---- .*\n/m);
  return [text, sudoers, key];
}

async function confine(host: Host): Promise<void> {
  const [text, sudoers, key] = await forcedCommand(host);
  await mustRun(host, ['sh', '-c', `mkdir -p "\${0%/*}" && cat >"$0" && chmod 755 "$0"`, script], { input: text });
  if (sudoers.trim() !== '') await mustRun(host, ['sh', '-c', 'mv /etc/sudoers.d/admin /root/admin.aside && umask 227 && cat >/etc/sudoers.d/flowproof && visudo -cq'], { input: sudoers });
  await mustRun(host, ['sh', '-c', 'cp -p "$0" "$0.aside" && cat >"$0"', keysOf(host)], { input: key });
}
async function release(host: Host): Promise<void> {
  await mustRun(host, ['sh', '-c', 'mv "$0.aside" "$0"; rm -f /usr/local/libexec/flowproof-prober /etc/sudoers.d/flowproof; [ ! -e /root/admin.aside ] || mv /root/admin.aside /etc/sudoers.d/admin', keysOf(host)]);
}

describe('least privilege', () => {
  before(async () => {
    for (const host of hosts) await confine(host);
  });
  after(async () => {
    for (const host of hosts) await release(host);
  });

  it('is enough for the whole run, as root on each host', async () => {
    const ran = await npmTest();
    expect(ran.cells.filter(({ verdict }) => verdict !== 'pass').map(({ id, reason }) => `${id}: ${reason}`), ran.output).to.deep.equal([]);
    expect(ran.exitCode).to.equal(0);
    expect(ran.output).to.not.match(/no root on|no look from/);
    // What root alone can: DHCP from port 68, frames past the source's own firewall, and the beacon as a witness.
    expect(ran.cells.some(({ id, verdict }) => id.includes('udp/67') && verdict === 'pass')).to.equal(true);
    expect(ran.cells.some(({ from, walls }) => from === 'joi' && walls?.far.stands === true)).to.equal(true);
    expect(ran.cells.some(({ controls }) => controls.some((control) => control.startsWith('witness internet')))).to.equal(true);
  });

  for (const host of hosts)
    it(`is for nothing else on ${host}`, async () => {
      const refusal = /^flowproof-prober: refused: this key starts the prober alone[^\n]*$/;
      // A subsystem has no stderr; where no terminal is given, ssh ends by itself.
      for (const [asked, exitCode, told] of [[[host, 'id'], 126, refusal], [[host, 'cat /etc/shadow'], 126, refusal], [['-T', host], 126, refusal], [['-s', host, 'sftp'], 126, /^$/], [['-tt', host, 'id'], 255, /^PTY allocation request failed on channel 0$/]] as const) {
        const said = await ssh(asked);
        expect(said, asked.join(' ')).to.include({ exitCode, stdout: '' });
        expect(said.stderr.trim(), asked.join(' ')).to.match(told);
      }
    });

  for (const [host, kind, marked] of [['joi', 'python', '0'], ['ntp', 'sh', '1']] as const)
    it(`runs no program on ${host} but this version's`, async () => {
      const text = program(kind).toString('utf8');
      const boot = bootCommand('0123456789abcdef');
      const whole = await ssh([host, boot], text);
      expect(whole.stdout, whole.stderr).to.include(`FLOWPROOF-1 ${kind} uid=0`);
      const at = text.lastIndexOf(marked);
      const altered = await ssh([host, boot], `${text.slice(0, at)}7${text.slice(at + 1)}`);
      expect(altered.exitCode).to.equal(126);
      expect(altered.stdout).to.not.include('FLOWPROOF-1');
      expect(altered.stderr).to.include('flowproof-prober: refused: not the program of');
    });

  it('forwards to the hosts behind the gateway alone', async () => {
    for (const [host, place, way] of [['gateway', '172.22.22.1:22', true], ['gateway', '172.22.22.1:8443', false], ['gateway', '127.0.0.1:22', false], ['joi', '127.0.0.1:11434', false]] as const) {
      const { stdout, stderr } = await ssh(['-W', place, host], 'no SSH at all\r\n'); // an sshd then hangs up
      expect(stdout.startsWith('SSH-2.0-'), `${place} by ${host}: ${stderr}`).to.equal(way);
      if (!way) expect(stderr, place).to.match(/administratively prohibited|open failed/);
    }
    const listening = await ssh(['-o', 'ExitOnForwardFailure=yes', '-R', '172.22.22.4:8080:127.0.0.1:22', 'gateway', 'id']);
    expect(listening.stderr).to.match(/remote port forwarding failed/);
  });

  it('lets sudo run the prober alone, without an argument', async () => {
    for (const argv of [['id'], ['sh'], [script, 'id'], ['timeout', '1', 'id']]) {
      const { exitCode, stdout } = await run('joi', ['su', 'admin', '-s', '/bin/sh', '-c', `sudo -n ${argv.join(' ')}`]);
      expect({ exitCode, stdout }, argv.join(' ')).to.deep.equal({ exitCode: 1, stdout: '' });
    }
  });

  it('of another version is told by the doctor, with its mend', async () => {
    await mustRun('joi', ['sed', '-i', 's/hexdigest() != "./&0/', script]);
    const { stdout, exitCode } = await type(['npm', 'run', '--silent', 'doctor']);
    expect(exitCode, stdout).to.equal(1);
    expect(stdout).to.match(/^missing: prober on joi: .*the forced command on joi refuses this prober/m).and.match(/mend: .*npm run prober -- forced-command joi/);
    expect(stdout).to.match(/costs: \d{3,} cells lose their proof/);
  });
});
