// Does something grow from run to run? Pure: numbers by name, a record a run.

/** What one run was measured by, by name: `time (s)`, `mesh: processes`. */
export type Measures = Readonly<Record<string, number>>;

/** By the end of a name: how much above the first runs the last ones may be. What is not here may not grow at all. */
const noise: readonly (readonly [end: string, most: (first: number) => number])[] = [
  ['time (s)', (first) => first * 1.5 + 2], // other work on the same machine
  ['memory (MB)', (first) => first * 1.25], // when V8 comes to collecting
  ['descriptors', (first) => first + 4], // seen by polling
  ['sshd (MB)', (first) => first * 1.05 + 1], // pages that it shares, or not
];

/** What other work on the machine has a say in, or chance: node opens the files of many modules at once, which polling meets or not. By medians of two runs or more alone. */
const swayed = new Set(['time (s)', 'memory (MB)', 'descriptors']);
const fewestSwayed = 20;

export type Growth = Readonly<{ name: string; first: number; last: number; allowed: number }>;

/** The median of the first tenth of the runs (of one at least) against that of the last tenth. */
export function growths(runs: readonly Measures[]): readonly Growth[] {
  const tenth = Math.max(1, Math.floor(runs.length / 10));
  const names = Object.keys(runs[0] ?? {}).filter((name) => runs.length >= fewestSwayed || !swayed.has(name));
  return names.flatMap((name) => {
    const of = (some: readonly Measures[]): number => median(some.map((measures) => measures[name] ?? 0));
    const [first, last] = [of(runs.slice(0, tenth)), of(runs.slice(-tenth))];
    const allowed = Math.round((noise.find(([end]) => name.endsWith(end))?.[1](first) ?? first) * 10) / 10;
    return last > allowed ? [{ name, first, last, allowed }] : [];
  });
}

export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
