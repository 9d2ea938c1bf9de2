// Many runs in a row from the command line: how many, in a lab that is there for the time, and Ctrl-C between and within them.
import { isHealthy } from '../../lab/status.ts';
import { down } from '../../lab/down.ts';
import { machineNames } from '../../lab/topology.ts';
import { up } from '../../lab/up.ts';
import { probersOn } from './faults.ts';
import { typeNpmTest, type Ran, type Typed } from './harness.ts';

/** Makes the runs; `true`: all is well. */
type Perform = (count: number, stop: AbortSignal) => Promise<boolean>;

/** Sets the exit code: 0 all is well, 1 it is not, 2 nothing was done, 130 stopped. */
export async function series(command: string, usual: number, perform: Perform): Promise<void> {
  const count = countFrom(process.argv.slice(2), usual);
  if (count === null) return refuse(`usage: npm run ${command} -- [RUNS]   (a whole number above 0; ${usual} unless said)`);
  const standing = await isHealthy();
  if (standing && machineNames.some((name) => probersOn(name).length > 0)) return refuse(`${command}: a run is under way in the lab: wait for its end`);
  const stop = new AbortController();
  // Each time: npm and tsx hand a signal on that the terminal has sent us already.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stop.abort());
  await up({ phase: 'steady' });
  try {
    const well = await perform(count, stop.signal);
    process.exitCode = stop.signal.aborted ? 130 : well ? 0 : 1;
  } finally {
    if (!standing) await down();
  }
}

function countFrom(words: readonly string[], usual: number): number | null {
  if (words.length === 0) return usual;
  return words.length === 1 && /^[1-9]\d{0,4}$/.test(words[0] ?? '') ? Number(words[0]) : null;
}

function refuse(sentence: string): void {
  console.error(sentence);
  process.exitCode = 2;
}

/** One `npm test`, which a stop ends early; `watch` is told of it every now and then. */
export async function runOnce(stop: AbortSignal, how: Parameters<typeof typeNpmTest>, watch: (typed: Typed) => void = () => undefined): Promise<Ran> {
  const typed = typeNpmTest(...how);
  const timer = setInterval(() => watch(typed), watchEveryMs);
  const interrupt = (): void => typed.interrupt();
  stop.addEventListener('abort', interrupt);
  try {
    return await typed.ended;
  } finally {
    stop.removeEventListener('abort', interrupt);
    clearInterval(timer);
  }
}

const watchEveryMs = 200;

export const table = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]?.map((_head, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((text, column) => (column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0))).join('  ')).join('\n');
};
