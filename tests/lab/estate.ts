// `npm run estate -- [HOSTS…]`: how a run grows with the number of its hosts. One `npm test` in an estate of each size, in turn, and what it
// took; the last two columns are to stay as they are while the others grow.
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { down } from '../../lab/down.ts';
import { sizes } from '../../lab/estate.ts';
import { begin, initOf } from '../../lab/inside.ts';
import { machinesThere } from '../../lab/standing.ts';
import { repository, upEstate } from '../../lab/up.ts';
import { commandOf } from './faults.ts';
import { descendantsOf } from './harness.ts';
import { table } from './series.ts';

type Grown = Readonly<Record<'hosts' | 'cells' | 'seconds' | 'operatorCpuSeconds' | 'sessions' | 'peakMB' | 'evidenceMB', number>> & Readonly<{ green: boolean }>;

const usual = [4, 25, 100];
const watchEveryMs = 250;
/** No run takes this long: it hangs. */
const hangsAfterMs = 1_500_000;

async function measured(hosts: number, stop: AbortSignal): Promise<Grown> {
  await upEstate(hosts);
  const reports = mkdtempSync(join(repository, 'reports', 'estate-'));
  const began = Date.now();
  const env = { FLOWPROOF_REPORTS: reports, FLOWPROOF_INVENTORY: '/root/inventory.json', CI: 'true' };
  const child = begin('operator', ['setsid', 'npm', 'test'], { dir: repository, env });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
  const peak = { kB: 0, cpuS: 0, sessions: 0 };
  const timer = setInterval(() => {
    if (stop.aborted || Date.now() - began > hangsAfterMs) for (const pid of descendantsOf(child.pid)) process.kill(pid, 'SIGKILL');
    for (const pid of descendantsOf(child.pid).filter((one) => commandOf(one).includes('mocha'))) {
      peak.kB = Math.max(peak.kB, peakOf(pid));
      peak.cpuS = Math.max(peak.cpuS, cpuOf(pid));
    }
    peak.sessions = Math.max(peak.sessions, sessions());
  }, watchEveryMs);
  try {
    await once(child, 'close');
  } finally {
    clearInterval(timer);
  }
  const seconds = (Date.now() - began) / 1000;
  const [, passed = '0', failed = '1'] = /^(\d+) passed, (\d+) failed$/m.exec(output) ?? [];
  const evidence = readdirSync(reports).includes('latest') ? statSync(join(reports, 'latest/evidence.json'), { throwIfNoEntry: false }) : undefined;
  const green = child.exitCode === 0 && failed === '0';
  if (!green) console.log(output.trimEnd().split('\n').slice(-40).join('\n'));
  rmSync(reports, { recursive: true });
  return { hosts, green, cells: Number(passed) + Number(failed), seconds, operatorCpuSeconds: peak.cpuS, sessions: peak.sessions, peakMB: peak.kB / 1024, evidenceMB: (evidence?.size ?? 0) / 1e6 };
}

/** Those into the VMs, each a connection of the gateway's to port 22 (0016) that stands (01): proc(5), net/tcp. */
function sessions(): number {
  const gateway = machinesThere().includes('gateway') ? initOf('gateway') : undefined;
  if (gateway === undefined) return 0;
  return readFileSync(`/proc/${gateway}/net/tcp`, 'utf8').split('\n').filter((line) => /^\s*\d+: \S+ \S+:0016 01 /.test(line)).length;
}

function procOf(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it has just ended
  }
}

const peakOf = (pid: number): number => Number(/^VmHWM:\s+(\d+) kB/m.exec(procOf(pid, 'status'))?.[1] ?? 0);
/** utime and stime, fields 14 and 15 of proc(5)'s stat, in hundredths of a second. */
const cpuOf = (pid: number): number => procOf(pid, 'stat').split(') ').at(-1)?.split(' ').slice(11, 13).reduce((sum, ticks) => sum + Number(ticks) / 100, 0) ?? 0;

function told(rows: readonly Grown[]): string {
  const head = ['hosts', 'verdict', 'cells', 'time (s)', "operator's CPU (s)", 'sessions at once', "operator's peak (MB)", 'evidence (MB)', 'ms a cell', 'CPU ms a cell'];
  return table([head, ...rows.map(({ hosts, green, cells, seconds, operatorCpuSeconds, sessions: open, peakMB, evidenceMB }) => [
    String(hosts), green ? 'green' : 'RED', String(cells), seconds.toFixed(1), operatorCpuSeconds.toFixed(1), String(open), peakMB.toFixed(0), evidenceMB.toFixed(1), ((seconds * 1000) / cells).toFixed(2), ((operatorCpuSeconds * 1000) / cells).toFixed(2),
  ])]);
}

async function main(words: readonly string[]): Promise<void> {
  const asked = words.length === 0 ? usual : words.map((word) => (/^\d{1,4}$/.test(word) ? Number(word) : 0));
  if (asked.some((hosts) => hosts < sizes.least || hosts > sizes.most)) {
    console.error(`usage: npm run estate -- [HOSTS…]   (whole numbers from ${sizes.least} to ${sizes.most}; ${usual.join(' ')} unless said)`);
    process.exitCode = 2;
    return;
  }
  const rows: Grown[] = [];
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  try {
    for (const hosts of asked) {
      rows.push(await measured(hosts, stop.signal));
      if (stop.signal.aborted) break;
      console.log(told(rows.slice(-1)));
    }
  } finally {
    await down();
  }
  console.log(`\n${told(rows)}`);
  writeFileSync(join(repository, 'reports/estate.json'), `${JSON.stringify(rows, null, 1)}\n`);
  process.exitCode = stop.signal.aborted ? 130 : rows.every(({ green }) => green) ? 0 : 1;
}

await main(process.argv.slice(2));
