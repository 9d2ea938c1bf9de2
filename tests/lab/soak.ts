// `npm run soak -- [RUNS]`: no false alarm, and nothing that grows. `npm test` again and again against the intact lab, as
// shipped; each run is measured, and so is what it leaves in the machines. The rule for growth is in growth.ts.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { initOf, mustRun, processesIn } from '../../lab/inside.ts';
import { machineNames, namespaceOf, type MachineName } from '../../lab/topology.ts';
import { repository } from '../../lab/up.ts';
import { commandOf } from './faults.ts';
import { growths, median, type Measures } from './growth.ts';
import { shipped, type Typed } from './harness.ts';
import { runOnce, series, table } from './series.ts';

type Run = Readonly<{ green: boolean; cells: number; last: string; measures: Measures }>;

/** Sessions of sshd end a moment after the run's last word. */
const buriedWithinMs = 5_000;

async function soak(count: number, stop: AbortSignal): Promise<boolean> {
  const quiet = processes();
  const runs: Run[] = [];
  for (let number = 1; number <= count && !stop.aborted; number += 1) {
    const run = await oneRun(stop, number === 1 ? 'soak-first' : number === count ? 'soak-last' : null, quiet);
    if (stop.aborted) break;
    runs.push(run);
    const { 'time (s)': time, 'memory (MB)': memory, descriptors } = run.measures;
    console.log(`run ${number} of ${count}: ${run.green ? 'green' : 'RED'}, ${run.cells} cells, ${time} s, ${memory} MB, ${descriptors} descriptors${run.green ? '' : `\n${run.last}`}`);
  }
  return told(count, runs);
}

async function oneRun(stop: AbortSignal, keep: string | null, quiet: number): Promise<Run> {
  const began = Date.now();
  const peak = { kB: 0, descriptors: 0 };
  const watch = (typed: Typed): void => {
    for (const pid of typed.pids().filter((one) => commandOf(one).includes('mocha'))) {
      peak.kB = Math.max(peak.kB, memoryOf(pid, 'VmHWM'));
      peak.descriptors = Math.max(peak.descriptors, listed(`/proc/${pid}/fd`));
    }
  };
  const { exitCode, output, cells } = await runOnce(stop, [shipped, keep], watch);
  const time = Date.now() - began;
  for (const deadline = Date.now() + buriedWithinMs; processes() > quiet && Date.now() < deadline; ) await sleep(100);
  return {
    green: exitCode === 0 && cells.length > 0, cells: cells.length, last: [...cells.filter(({ verdict }) => verdict !== 'pass').slice(0, 10).map(({ id, verdict, reason }) => `    ${verdict}: ${id}: ${reason}`), ...output.trimEnd().split('\n').slice(-2)].join('\n'),
    measures: { 'time (s)': Math.round(time / 100) / 10, 'memory (MB)': megabytes(peak.kB), descriptors: peak.descriptors, ...(await leftBehind()) },
  };
}

const processes = (): number => machineNames.flatMap((name) => processesIn(namespaceOf(name))).length;

/** What of a run could stay in the machines. Connection tracking forgets by itself. */
async function leftBehind(): Promise<Measures> {
  const each = await Promise.all(machineNames.map(async (name) => {
    const pids = processesIn(namespaceOf(name));
    const sshd = pids.filter((pid) => /^\S*sshd/.test(commandOf(pid)));
    // The operator's /tmp is that of the machine below, which others use.
    const files = name === 'operator' ? null : (await mustRun(name, ['find', '/tmp', '-type', 'f'])).split('\n').length - 1;
    return {
      [`${name}: processes`]: pids.length,
      [`${name}: listening sockets`]: listening(name),
      ...(files === null ? {} : { [`${name}: files in /tmp`]: files }),
      ...(sshd.length === 0 ? {} : { [`${name}: sshd (MB)`]: megabytes(sshd.reduce((sum, pid) => sum + memoryOf(pid, 'VmRSS'), 0)) }),
    };
  }));
  return Object.assign({}, ...each) as Measures;
}

/** TCP that listens (state 0A) and UDP that is bound (07), proc(5); but for ports that the kernel draws, which clients have. */
function listening(name: MachineName): number {
  const rows = ['tcp', 'tcp6', 'udp', 'udp6'].flatMap((file) => readFileSync(`/proc/${initOf(name)}/net/${file}`, 'utf8').split('\n'));
  return rows.filter((row) => /^\s*\d+: \S+:([0-7]...) \S+ (0A|07) /.test(row)).length;
}

function memoryOf(pid: number, what: 'VmHWM' | 'VmRSS'): number {
  try {
    return Number(new RegExp(`^${what}:\\s+(\\d+) kB`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0; // it has just ended
  }
}

function listed(folder: string): number {
  try {
    return readdirSync(folder).length;
  } catch {
    return 0;
  }
}

const megabytes = (kB: number): number => Math.round(kB / 102.4) / 10;

function told(count: number, runs: readonly Run[]): boolean {
  const [first, last] = [runs[0], runs.at(-1)];
  if (first === undefined || last === undefined) return false;
  const all = runs.map(({ measures }) => measures);
  const grown = growths(all);
  const rows = Object.keys(first.measures).map((name) => [name, String(first.measures[name]), String(last.measures[name]), String(Number(median(all.map((one) => one[name] ?? 0)).toFixed(1)))]);
  console.log(`\n${table([['', 'first run', 'last run', 'median'], ...rows])}\n`);
  for (const { name, first: before, last: after, allowed } of grown) console.log(`GROWS: ${name}, from ${before} to ${after} (medians of the first and the last tenth; ${allowed} at most)`);
  if (grown.length === 0) console.log(`nothing grows: the median of the last tenth is within the noise of the first${runs.length < 20 ? ' (too few runs to judge time, memory and descriptors)' : ''}`);
  const green = runs.filter((run) => run.green).length;
  console.log(`${green} of ${count} green`);
  writeFileSync(join(repository, 'reports/soak.json'), `${JSON.stringify({ asked: count, green, grown, runs }, null, 1)}\n`);
  return green === count && grown.length === 0;
}

await series('soak', 200, soak);
