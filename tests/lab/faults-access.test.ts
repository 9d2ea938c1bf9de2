// The way in is broken: at the gateway, at its keys, at a machine behind it. What cannot be looked at is never green, the
// terminal says why and what to do, and whatever does not hang on it stays as it was.
import { expect } from 'chai';
import { exec } from '../../lab/exec.ts';
import { mustRun } from '../../lab/inside.ts';
import { setPhase } from '../../lab/phase.ts';
import { restart, start, stop } from '../../lab/services.ts';
import { baseline, expectChanged, expectNoBlindGreen } from './baseline.ts';
import { asBefore, hangsOn, isLogin } from './faults.ts';
import { npmTest, type Cell, type Ran } from './harness.ts';

const everyone = ['mesh', 'joi', 'ntp', 'gateway'];
const verdictOf = ({ cells }: Ran, fits: (cell: Cell) => boolean): readonly string[] => [...new Set(cells.filter(fits).map(({ verdict }) => verdict))];

/** A new host key in place of the old one, which `putBack` restores. */
const hostKey = '/etc/ssh/ssh_host_ed25519_key';
async function changeHostKey(name: 'mesh' | 'gateway'): Promise<void> {
  const key = await mustRun('operator', ['sh', '-c', 'rm -f /tmp/other && ssh-keygen -q -t ed25519 -N "" -f /tmp/other && cat /tmp/other && rm /tmp/other']);
  await mustRun(name, ['sh', '-c', `mv ${hostKey} ${hostKey}.aside && umask 077 && cat >${hostKey}`], { input: key });
  await restart(name, 'sshd');
}
async function putBack(name: 'mesh' | 'gateway', file: string): Promise<void> {
  await mustRun(name, ['mv', `${file}.aside`, file]);
  await restart(name, 'sshd');
}

describe('the way in', () => {
  before(baseline);
  afterEach(asBefore);

  describe('the gateway does not answer the operator', () => {
    beforeEach(() => exec('gateway', ['nft', 'insert', 'rule', 'inet', 'filter', 'input', 'ip', 'saddr', '198.51.100.10', 'drop']));
    afterEach(() => setPhase('steady'));

    it('fails its row, and tells nothing of what is behind it', async () => {
      const ran = await npmTest();
      expectChanged(ran, hangsOn(everyone));
      expectNoBlindGreen(ran);
      expect(ran.cells.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).to.deep.equal(['operator -> gateway wan tcp/22']);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no look from joi: no way in but by gateway: gateway \(198\.51\.100\.4 port 22\) does not answer: .*try: ssh gateway/);
    });
  });

  describe('the gateway refuses our key', () => {
    beforeEach(() => mustRun('gateway', ['sh', '-c', 'cd /root/.ssh && cp -p authorized_keys authorized_keys.aside && : >authorized_keys']));
    afterEach(() => putBack('gateway', '/root/.ssh/authorized_keys'));

    it('tells nothing of what is behind it', async () => {
      const ran = await npmTest();
      expectChanged(ran, hangsOn(everyone, 'answered'));
      expectNoBlindGreen(ran);
      expect(verdictOf(ran, ({ verdict }) => verdict === 'fail')).to.deep.equal([]);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no look from gateway: gateway \(198\.51\.100\.4 port 22\) accepts none of our keys for user root: .*authorized_keys.*try: ssh gateway/);
    });
  });

  describe('the gateway refuses forwarding', () => {
    const file = '/etc/ssh/sshd_config.d/jump-host.conf';
    beforeEach(async () => {
      await mustRun('gateway', ['sh', '-c', `mv ${file} ${file}.aside && echo "AllowTcpForwarding no" >${file}`]);
      await restart('gateway', 'sshd');
    });
    afterEach(() => putBack('gateway', file));

    it('tells nothing of what is behind it, and looks from the gateway itself', async () => {
      const ran = await npmTest();
      expectChanged(ran, hangsOn(['mesh', 'joi', 'ntp']));
      expectNoBlindGreen(ran);
      expect(verdictOf(ran, ({ verdict }) => verdict === 'fail')).to.deep.equal([]);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no look from mesh: the gateway's sshd refuses forwarding to mesh's SSH \(172\.22\.22\.1 port 22\): set AllowTcpForwarding yes .* sshd_config/);
    });
  });

  for (const { name, blind, at } of [
    { name: 'gateway', blind: everyone, at: 'gateway \\(198\\.51\\.100\\.4 port 22\\)' },
    { name: 'mesh', blind: ['mesh'], at: 'mesh \\(172\\.22\\.22\\.1 port 22\\)' },
  ] as const)
    describe(`the host key of ${name} is another one`, () => {
      beforeEach(() => changeHostKey(name));
      afterEach(() => putBack(name, hostKey));

      it('tells nothing of what hangs on it, and fails nothing', async () => {
        const ran = await npmTest();
        expectChanged(ran, hangsOn(blind));
        expectNoBlindGreen(ran);
        expect(verdictOf(ran, ({ verdict }) => verdict === 'fail')).to.deep.equal([]);
        expect(ran.exitCode).to.not.equal(0);
        expect(ran.output).to.match(new RegExp(`no look from ${name}: the host key of ${at} is not the one on file: .* Compare it at its console before you mend known_hosts`));
      });
    });

  describe("joi's sshd is stopped", () => {
    beforeEach(() => stop('joi', 'sshd'));
    afterEach(() => start('joi', 'sshd'));

    it('fails the gateway\'s row to it, and tells nothing of what hangs on joi', async () => {
      const ran = await npmTest();
      const changed = expectChanged(ran, hangsOn(['joi']));
      expectNoBlindGreen(ran);
      expect(ran.cells.filter(({ verdict }) => verdict === 'fail').map(({ id }) => id)).to.deep.equal(['gateway -> joi vmbr1 tcp/22']);
      expect(changed.filter(({ cell }) => cell.to === 'joi' && cell.address !== null && !isLogin(cell)).length, 'silences that joi would witness').to.be.greaterThan(20);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no look from joi: joi's SSH \(172\.22\.22\.2 port 22\) refuses the connection: is sshd running there\?/);
    });
  });
});
