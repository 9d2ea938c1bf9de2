// A host that is not what the prober would like: a noisy profile, no root, no program to run, nothing to write to; and the
// operator's own disk, full. A host that gives less makes less green, never more.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { mustRun, run } from '../../lab/inside.ts';
import { repository } from '../../lab/up.ts';
import { baseline, expectChanged, expectNoBlindGreen, expectUnchanged, gradesRaised, type Reach } from './baseline.ts';
import { asBefore, hangsOn } from './faults.ts';
import { npmTest } from './harness.ts';

/** Families that take a port below 1024 or raw packets at the source. */
const ofRoot: ReadonlySet<string> = new Set(['source port', 'ip protocol', 'another way', 'surviving session']);

const edit = (name: 'mesh' | 'joi', script: string): Promise<string> => mustRun(name, ['sh', '-euc', script], { rights: 'host' });

describe('on the host', () => {
  before(baseline);
  afterEach(asBefore);

  describe('the login shell of mesh prints banners, and lines that look like ours', () => {
    const noise = [
      'Welcome to mesh', '', 'FLOWPROOF-BOOT none', 'FLOWPROOF-BOOT 0123456789abcdef sh', 'FLOWPROOF-1 sh uid=1000 ', '1 end', '1 fact addresses 00', '2 listening', 'x'.repeat(5000),
      '\\033[2J\\033[31m red \\007',
    ];
    const print = noise.map((line) => `printf '${line}\\n'; printf '${line}\\n' >&2`).join('\n');
    const files = '/home/admin/.bashrc /home/admin/.profile';
    beforeEach(async () => {
      for (const file of files.split(' ')) await mustRun('mesh', ['sh', '-euc', `mv ${file} ${file}.aside; { cat; cat ${file}.aside; } >${file}`], { input: `${print}\n` });
      await edit('mesh', 'cp -p /etc/ssh/sshd_config /etc/ssh/sshd_config.aside; printf "Last login: never\\nFLOWPROOF-BOOT none\\n" >/etc/issue.net; echo "Banner /etc/issue.net" >>/etc/ssh/sshd_config; service sshd restart');
    });
    afterEach(() => edit('mesh', `for file in ${files} /etc/ssh/sshd_config; do mv $file.aside $file; done; rm -f /etc/issue.net; service sshd restart`));

    it('changes nothing', async () => {
      const said = await run('operator', ['ssh', 'mesh', 'true']);
      expect(said.stdout, 'the noise is there').to.include('FLOWPROOF-BOOT none');
      const ran = await npmTest();
      expectUnchanged(ran);
    });
  });

  describe('sudo on joi asks for a password', () => {
    const file = '/etc/sudoers.d/admin';
    beforeEach(() => edit('joi', `mv ${file} /root/admin.aside; echo "admin ALL=(ALL) ALL" >${file}; chmod 440 ${file}`));
    afterEach(() => edit('joi', `mv /root/admin.aside ${file}`));

    it('lowers grades or leaves open, and the terminal says that root is missing', async () => {
      const ran = await npmTest();
      // ICMP and the DHCP client's port take root at the source. Towards joi, its count of resets is witness enough.
      const takesRoot: Reach = ({ from, proto, port }, now) => from === 'joi' && now?.outcome.seen !== 'no path' && (proto === 'icmp' || (proto === 'udp' && port === 67));
      expectChanged(ran, takesRoot, ({ from, family }) => from === 'joi' && ofRoot.has(family));
      expectNoBlindGreen(ran);
      expect(ran.cells.filter(({ verdict }) => verdict === 'fail')).to.deep.equal([]);
      expect(gradesRaised(ran, ({ from, to }) => from === 'joi' || (from === 'mesh' && to === 'joi'))).to.deep.equal([]);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no root on joi: .*let sudo run without a password there \(NOPASSWD\), or log in as root/);
    });
  });

  describe('mesh has neither python3 nor nc', () => {
    beforeEach(() => edit('mesh', 'for file in python3 nc; do mv /usr/bin/$file /usr/bin/$file.aside; done'));
    afterEach(() => edit('mesh', 'for file in python3 nc; do mv /usr/bin/$file.aside /usr/bin/$file; done'));

    it('tells nothing of what hangs on mesh, but that its sshd answers', async () => {
      const ran = await npmTest();
      expectChanged(ran, hangsOn(['mesh'], 'answered'));
      expectNoBlindGreen(ran);
      expect(ran.cells.filter(({ verdict }) => verdict === 'fail')).to.deep.equal([]);
      expect(ran.exitCode).to.not.equal(0);
      expect(ran.output).to.match(/no look from mesh: mesh: neither python3 nor nc is on the host; install one of them/);
    });
  });

  describe('nothing can be written on mesh: /tmp, /var/tmp and the home are read-only', () => {
    const folders = '/tmp /var/tmp /home';
    beforeEach(() => edit('mesh', `for folder in ${folders}; do mount --bind $folder $folder; mount -o remount,bind,ro $folder; done`));
    afterEach(() => edit('mesh', `for folder in ${folders}; do umount $folder; done`));

    it('changes nothing', async () => {
      for (const file of ['/tmp/x', '/home/admin/x']) expect((await run('mesh', ['touch', file])).stderr).to.include('Read-only');
      const ran = await npmTest();
      expectUnchanged(ran);
    });
  });

  describe("the operator's disk is full", () => {
    const reports = '/run/full';
    const operator = (script: string): Promise<string> => mustRun('operator', ['sh', '-euc', script], { rights: 'host' });
    beforeEach(() => operator(`mkdir ${reports}; mount -t tmpfs -o size=64k tmpfs ${reports}`));
    afterEach(() => operator(`umount ${reports}; rmdir ${reports}`));

    for (const [sentence, fill] of [
      ['from the start', `head -c 65536 /dev/zero >${reports}/fill || :`],
      ['in the middle of a report', `head -c 20000 /dev/zero >${reports}/fill`],
    ] as const)
      it(`${sentence}: it says so, ends badly, and no file with a final name is cut`, async () => {
        await operator(fill);
        const ran = await npmTest({ FLOWPROOF_REPORTS: reports });
        expect(ran.exitCode, ran.output).to.not.equal(0);
        expect(ran.output).to.match(/not written: .*ENOSPC.*\. Make room .*FLOWPROOF_REPORTS.*run again/);
        expect(ran.output).to.match(/phase steady: \d{4} of/);
        // The small copies may find room, and are whole; what is not is not there, and there is no manifest that would vouch for the folder.
        const left = (await operator(`find ${reports} -type f ! -name fill`)).split('\n').filter((name) => name !== '');
        for (const file of left) {
          const text = await operator(`cat ${file}`);
          if (file.endsWith('/inventory.json')) expect(JSON.parse(text)).to.have.keys('$schema', 'matrix', 'site');
          else expect([file.slice(file.lastIndexOf('/')), text.trim()]).to.deep.equal(['/matrix.md', readFileSync(join(repository, 'docs/communication-matrix.md'), 'utf8').trim()]);
        }
      });
  });
});
