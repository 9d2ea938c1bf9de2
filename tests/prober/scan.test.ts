// A scan: many places at once by nc's scan mode alone, each with what it says. Of sh alone.
import { expect } from 'chai';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { far, near, start, type Prober } from './bench.ts';
import { linkLocal } from './events.ts';
import { forEachKind } from './suites.ts';

const scan = async (prober: Prober, command: string): Promise<readonly string[]> => (await prober.ask(`scan ${command}`)).toSorted();

forEachKind('a scan', ({ kind, proberIn }) => {
  for (const [family, address] of [['IPv4', (): string => '198.18.0.2'], ['IPv6', (): string => `${linkLocal(far)}%wire`]] as const) {
    it(`says what each place says to a handshake, by ${family}`, async () => {
      const to = address();
      expect(await scan(await proberIn(near), `tcp 300 0 ${to} 7000 0 ${to} 7103 0 ${to} 7104 0 ${to} 7102 0 ${to} 7399 7777 ${to} 7001`)).to.deep.equal([
        ...[[7000, 'connected'], [7001, 'connected'], [7102, 'error-ECONNREFUSED'], [7103, 'silent'], [7104, family === 'IPv4' ? 'error-EHOSTUNREACH' : 'error-EACCES'], [7399, 'error-ECONNREFUSED']].map(([port, state]) => `at ${to} ${port} ${state}`), 'begun']);
    });
    it(`says of datagrams which may not leave, by ${family}`, async () => {
      const to = address();
      expect(await scan(await proberIn(near), `udp 300 0 ${to} 7201 53 ${to} 7206`)).to.deep.equal([`at ${to} 7201 error-EPERM`, `at ${to} 7206 error-EPERM`, 'begun']);
      expect(await scan(await proberIn(near), `udp 300 0 ${to} 7000 0 ${to} 7103 53 ${to} 7002 0 ${to} 7399`)).to.deep.equal([...[[7000, 'silent'], [7002, 'silent'], [7103, 'silent'], [7399, 'error-ECONNREFUSED']].map(([port, state]) => `at ${to} ${port} ${state}`), 'begun']);
    });
  }
  it('says of other addresses what bars them', async () => {
    expect(await scan(await proberIn(near), 'tcp 300 0 198.18.2.1 80 0 198.18.4.1 80 0 198.18.1.8 80')).to.deep.equal(['at 198.18.1.8 80 error-EHOSTUNREACH', 'at 198.18.2.1 80 error-EACCES', 'at 198.18.4.1 80 error-EHOSTUNREACH', 'begun']);
  });
  it('says of no datagram that it was barred or refused where some were barred at once and others were not', async () => {
    expect(await scan(await proberIn(near), 'udp 300 0 198.18.0.2 7201 0 198.18.0.2 7000 0 198.18.0.2 7399')).to.deep.equal(['at 198.18.0.2 7000 silent', 'begun']);
    expect(await scan(await proberIn(near), 'udp 300 0 198.18.0.2 7203'), 'the first is let out').to.deep.equal(['begun']);
    expect(await scan(await proberIn(near), 'udp 300 0 198.18.0.2 7204'), 'rejected, not dropped').to.deep.equal(['begun']);
  });
  it('says of no datagram that it was barred where it is not known how many were sent', async () => {
    const prober = await start(kind, { edit: (text) => text.replace('echo "begun $((now - began)) $count"', ':') });
    expect(await scan(prober, 'udp 300 0 198.18.0.2 7201 53 198.18.0.2 7206')).to.deep.equal([]);
    await prober.close();
  });
  it('says of the second that wants a port for one destination that there is none', async () =>
    expect(await scan(await proberIn(near), 'tcp 300 7778 198.18.0.2 7103 7778 198.18.0.2 7103')).to.deep.equal(['at 198.18.0.2 7103 error-EADDRNOTAVAIL', 'at 198.18.0.2 7103 silent', 'begun']));
  it('begins, and says so, before its places are silent', async () => {
    const prober = await start(kind);
    await prober.ask('scan tcp 300 0 198.18.0.2 7103');
    expect(prober.lines.filter((line) => line.startsWith('q1 '))).to.deep.equal(['q1 begun', 'q1 at 198.18.0.2 7103 silent', 'q1 end']);
    await prober.close();
  });

  for (const [what, script, expected] of [
    ['takes no nc for silent that began to send too late', 'n=0; while [ $n -lt 90 ]; do n=$((n + 1)); read -r t _ </proc/uptime; e=${t%.*}${t#*.}; e=$((e + 2)); while [ ${t%.*}${t#*.} -lt $e ]; do read -r t _ </proc/uptime; done; done; exec busybox nc "$@"', ['begun']],
    ['takes no nc for silent that was killed', 'kill -9 $$', ['begun']],
    ['takes no word of nc that nobody knows', 'echo "nc: something new" >&2; exit 1', ['begun']],
    ['says what nobody knows of a place', 'echo "nc: 198.18.0.2 (198.18.0.2:7103): something new" >&2; exit 1', ['at 198.18.0.2 7103 error-UNKNOWN', 'begun']],
  ] as const)
    it(what, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'fpt-scan-'));
      writeFileSync(join(folder, 'nc'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const prober = await start(kind, { before: `PATH=${folder}:$PATH; ` });
      try {
        expect(await scan(prober, 'tcp 300 0 198.18.0.2 7103')).to.deep.equal(expected);
      } finally {
        await prober.close();
        rmSync(folder, { recursive: true });
      }
    });

  for (const bad of ['tcp 300', 'sctp 300 0 198.18.0.2 80', 'tcp 300 0 198.18.0.2', 'tcp 300 0 198.18.0.2 0', 'tcp 300 65536 198.18.0.2 80', 'tcp 300 0 -e 80', 'tcp 3000 0 198.18.0.2 80', `tcp 300${' 0 198.18.0.2 80'.repeat(65)}`])
    it(`is malformed: ${bad.slice(0, 60)}`, async () => expect((await (await proberIn(near)).ask(`scan ${bad}`)).map((line) => line.split(' ')[0])).to.deep.equal(['malformed']));
}, ['ash', 'dash', 'bash']);
