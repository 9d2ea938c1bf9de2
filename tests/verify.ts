// The steps of `npm run verify`. All of them run, whatever the first ones say; the last line is the sum of real counts: a
// step is one, a mocha suite as many as it has tests. A suite that says nothing of its counts has failed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Count = Readonly<{ passed: number; failed: number }>;

const root = join(import.meta.dirname, '..');
const scratch = mkdtempSync(join(tmpdir(), 'flowproof-verify-'));

function run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): boolean {
  const [command = '', ...rest] = argv;
  return spawnSync(command, rest, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } }).status === 0;
}

function step(argv: readonly string[]): Count {
  return run(argv) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

function suite(config: string): Count {
  const tally = join(scratch, config);
  const ended = run(['npx', '--no-install', 'mocha', '--config', `tests/${config}.mocharc.json`, '--reporter', './tests/tally.ts'], { FLOWPROOF_TALLY: tally });
  let counted = '';
  try {
    counted = readFileSync(tally, 'utf8');
  } catch {
    return { passed: 0, failed: 1 }; // it died before it could count
  }
  const [passed = 0, failed = 0] = counted.trim().split(' ').map(Number);
  // A run that ends badly with no failed test (a hook, a crash at the end) is a failure all the same.
  return { passed, failed: ended ? failed : Math.max(failed, 1) };
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

function leavesNothing(before: readonly string[]): Count {
  const left = traces().filter((trace) => !before.includes(trace));
  if (left.length === 0) return { passed: 1, failed: 0 };
  console.error(`left behind:\n${left.join('\n')}`);
  return { passed: 0, failed: 1 };
}

const steps: readonly (readonly [string, () => Count])[] = [
  ['types', () => step(['npx', '--no-install', 'tsc'])],
  ['lint', () => step(['npx', '--no-install', 'oxlint', '--type-aware', '--deny-warnings'])],
  ['dead code', () => step(['npx', '--no-install', 'knip'])],
  ['unit tests', () => suite('unit')],
  ['tools for the lab', () => step(['sh', 'lab/setup.sh'])],
];
const inLab: readonly (readonly [string, () => Count])[] = [
  ['the harness in the lab', () => suite('lab')],
  ['the probers', () => suite('prober')],
];

const results: Count[] = [];
const perform = (all: typeof steps): void => {
  for (const [name, action] of all) {
    console.log(`\n== ${name}`);
    const result = action();
    console.log(`== ${name}: ${result.passed} passed, ${result.failed} failed`);
    results.push(result);
  }
};

try {
  perform(steps);
  const before = traces();
  perform(inLab);
  perform([['nothing left behind', () => leavesNothing(before)]]);
} finally {
  rmSync(scratch, { recursive: true });
}
const sum = (key: keyof Count): number => results.reduce((total, result) => total + result[key], 0);
console.log(`\n${sum('passed')} passed, ${sum('failed')} failed`);
process.exitCode = sum('failed') === 0 ? 0 : 1;
