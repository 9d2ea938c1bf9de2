// The steps of `npm run verify`. All of them run, whatever the first ones say; the last line is the sum of real counts: a
// step is one, a mocha suite as many as it has tests. A suite that says nothing of its counts has failed. What failed is named
// again at the end, as who reads a log of CI sees its end. What needs a lab runs in two lanes, each with a lab of its own, and in
// two more as long as the machine bears them, since a run waits more than it works.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { apart } from '../lab/apart.ts';

type Count = Readonly<{ passed: number; failed: number; red: readonly string[] }>;
type Step = Readonly<{ name: string; argv: readonly string[]; isSuite: boolean }>;

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'flowproof-verify-'));

const step = (name: string, ...argv: readonly string[]): Step => ({ name, argv, isSuite: false });
const tool = (name: string, ...argv: readonly string[]): Step => step(name, 'npx', '--no-install', ...argv);
/** A file of ours, as package.json starts them. */
const program = (name: string, ...argv: readonly string[]): Step => step(name, process.execPath, '--import', 'tsx', ...argv);
const suite = (name: string, config: string, ...files: readonly string[]): Step =>
  ({ name, isSuite: true, argv: ['npx', '--no-install', 'mocha', '--config', `tests/${config}.mocharc.json`, '--reporter', './tests/tally.ts', ...files] });

/** Runs it in a lane; what it prints comes in one piece when it ends. */
async function perform({ name, argv, isSuite }: Step, lane: number): Promise<Count> {
  const [tally, output] = [join(scratch, `${name} tally`), join(scratch, `${name} output`)];
  const [command = '', ...rest] = lane === 0 ? argv : apart(argv);
  console.log(`== ${name} …`);
  const begun = Date.now();
  const file = openSync(output, 'w');
  const child = spawn(command, rest, { cwd: root, stdio: ['ignore', file, file], env: { ...process.env, FLOWPROOF_TALLY: tally } });
  const [code] = (await once(child, 'close')) as [number | null];
  closeSync(file);
  const count = isSuite ? suiteCount(tally, code === 0) : countOf(code === 0);
  console.log(`\n== ${name}\n${readFileSync(output, 'utf8')}== ${name}: ${count.passed} passed, ${count.failed} failed (${Math.round((Date.now() - begun) / 1000)} s)`);
  return { ...count, red: count.failed === 0 ? [] : [`${name}: ${count.failed} failed`, ...count.red.slice(0, mostNamed).map((one) => `  ${one.slice(0, longestName)}`)] };
}

/** Of the tests of a suite that failed, the first ones; of each its title and the first words of why. */
const [mostNamed, longestName] = [10, 400];

const countOf = (isGreen: boolean): Count => ({ passed: isGreen ? 1 : 0, failed: isGreen ? 0 : 1, red: [] });

function suiteCount(tally: string, endedWell: boolean): Count {
  let counted = '';
  try {
    counted = readFileSync(tally, 'utf8');
  } catch {
    return countOf(false); // it died before it could count
  }
  const [sums = '', ...red] = counted.trim().split('\n');
  const [passed = 0, failed = 0] = sums.split(' ').map(Number);
  // A run that ends badly with no failed test (a hook, a crash at the end) is a failure all the same.
  return { passed, failed: endedWell ? failed : Math.max(failed, 1), red };
}

/** What the lab could leave behind on the machine: mounts, daemons, namespaces, links. */
function traces(): readonly string[] {
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n').filter((line) => /flowproof|overlay|nsfs/.test(line));
  const daemons = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    try {
      const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
      return /^(tini|sshd|nebula|chronyd|dnsmasq|nginx|udhcpc)$/.test(name) ? [`${name} ${pid}`] : [];
    } catch {
      return []; // it has just ended
    }
  });
  const told = (...argv: readonly string[]): readonly string[] => spawnSync('ip', argv, { encoding: 'utf8' }).stdout.split('\n').filter((line) => line !== '');
  return [...mounts, ...daemons, ...told('netns', 'list'), ...told('-o', 'link').map((line) => `link ${line.split(':')[1]}`)];
}

/** The kernel takes a moment to bury the processes of the lab that was taken down last. */
const buriedWithinMs = 10_000;

async function leavesNothing(before: readonly string[]): Promise<Count> {
  let left: readonly string[];
  for (const deadline = Date.now() + buriedWithinMs; ; await sleep(200)) {
    left = traces().filter((trace) => !before.includes(trace));
    if (left.length === 0 || Date.now() > deadline) break;
  }
  return left.length === 0 ? countOf(true) : { ...countOf(false), red: ['left behind:', ...left.map((one) => `  ${one}`)] };
}

const inLab = (...names: readonly string[]): Step => suite(`the harness in the lab: ${names.join(', ')}`, 'lab', ...names.map((name) => `tests/lab/${name}`));
const scenarios = readdirSync(join(root, 'tests/lab')).filter((name) => name.endsWith('.test.ts'));
/** It looks at all the machine's processes, so no other lab may stand. */
const alone = 'leftovers.test.ts';

/** One after the other: Debian's packages are installed by one at a time. */
const tools = [step('tools for the tests', 'sh', 'tests/setup.sh'), step('a browser', 'sh', 'tests/browser/setup.sh'), step('tools for the lab', 'sh', 'lab/setup.sh')];
/** Side by side, each in turn: what needs no lab, and the first lab, beside which there may be no other. */
const beforeLabs = [
  [suite('unit tests', 'unit'), tool('types', 'tsc'), tool('lint', 'oxlint', '--type-aware', '--deny-warnings'), tool('dead code', 'knip'), suite('workflows and systemd units', 'deploy')],
  [program('root file systems for the lab', 'lab/cli.ts', 'up'), inLab(alone)],
];
/** What waits most of its time, for probers and machines that say nothing: in the third lane, which then takes its share of the others, and the fourth. */
const silent = 'faults-midrun.test.ts';
const waiters = [suite('the probers', 'prober'), inLab(silent)];
/** In one lab each: those that measure a fault by one intact run, and the short ones. */
const together = [
  ['faults-access.test.ts', 'faults-host.test.ts', 'faults-network.test.ts'],
  ['privilege.test.ts', 'selection.test.ts', 'waivers.test.ts', 'ways.test.ts', 'windows.test.ts'],
];
/** The long ones first, so that no lane waits for the other at the end. */
const inLanes = [
  ...together.map((names) => inLab(...names)),
  program('loss and load, a run', 'tests/lab/loss.ts', '1', '--beside'),
  program('mutants, a sample', 'tests/mutation/cli.ts', '--sample'),
  ...scenarios.filter((name) => ![alone, silent, ...together.flat()].includes(name)).toReversed().map((name) => inLab(name)),
  program('soak, three runs', 'tests/lab/soak.ts', '3'),
  suite('report.html in Chromium', 'browser'),
  // A fixed seed: fresh inputs are the nightly run's, whose counterexample is not the fault of the change that is being verified.
  program('hostile input, a sample', 'tests/fuzz.ts', '--seconds', '45', '--seed', '1'),
];

/**
 * Processes that run or want to, in the last minute, for each processor: more than all lanes make of a machine where a process costs what it
 * usually does. One that is slower is no faster by a third, and its runs then take for lost what is only late.
 */
const mostLoad = 10;

const results: Count[] = [];
try {
  const before = traces();
  const inTurn = async (steps: readonly Step[]): Promise<void> => {
    for (const one of steps) results.push(await perform(one, 0));
  };
  await inTurn(tools);
  await Promise.all(beforeLabs.map(inTurn));
  const waiting = [...inLanes];
  let lanes = 2;
  const isTooMuch = (): boolean => lanes > 0 && (loadavg()[0] ?? 0) > mostLoad * cpus().length;
  await Promise.all([
    ...[0, 1].map(async (lane) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) results.push(await perform(next, lane));
      lanes -= 1;
    }),
    ...waiters.map(async (waiter, index) => {
      for (let own: Step | undefined = waiter; ; own = undefined) {
        while (isTooMuch()) await sleep(5_000);
        const next = own ?? (index === 0 ? waiting.shift() : undefined);
        if (next === undefined) return;
        results.push(await perform(next, 2 + index));
      }
    }),
  ]);
  results.push(await leavesNothing(before));
} finally {
  rmSync(scratch, { recursive: true });
}
const red = results.flatMap((result) => result.red);
if (red.length > 0) console.log(`\nred:\n${red.join('\n')}`);
const sum = (key: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
