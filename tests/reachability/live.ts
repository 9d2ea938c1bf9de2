// What the terminal shows while a run is under way: bars where it is one and the run takes its time, else a line for each
// vantage and destination whose looks are over.
import { MultiBar, type SingleBar } from 'cli-progress';
import { printable } from '../../lib/reports/console.ts';
import { countLooks, type Count } from '../../lib/reports/progress.ts';
import type { Progress } from '../../lib/run.ts';

/** Lines that somebody still reads: of more pairs, one a vantage. */
const mostLines = 200;
/** A run that is over before needs no bar. */
const barAfterMs = 2000;

export type Live = Progress & Readonly<{ stop: () => void }>;

/** A terminal that somebody watches: no file, no pipe, no CI job, whose logs would keep each redrawing. */
export const isWatched = (stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv): boolean => stream.isTTY && (env.CI ?? '') === '' && env.TERM !== 'dumb';

export function liveView(stream: NodeJS.WriteStream, env: NodeJS.ProcessEnv, machines: ReadonlySet<string>): Live {
  return isWatched(stream, env) ? bars(stream, machines) : lines(stream, machines);
}

/** By pair, or by vantage where those are too many. */
function countWithin(flows: Parameters<typeof countLooks>[0], machines: ReadonlySet<string>, most: number): Count {
  const pairs = countLooks(flows, machines, 'pair');
  return pairs.rows().length <= most ? pairs : countLooks(flows, machines, 'vantage');
}

function lines(stream: NodeJS.WriteStream, machines: ReadonlySet<string>): Live {
  let count: Count | null = null;
  return {
    planned: (flows) => (count = countWithin(flows, machines, mostLines)),
    looked: (probe) => {
      const row = count?.looked(probe);
      if (row && row.done === row.total) stream.write(`${printable(row.name)}: ${row.total} looks made\n`);
    },
    stop: () => {},
  };
}

function bars(stream: NodeJS.WriteStream, machines: ReadonlySet<string>): Live {
  let count: Count | null = null;
  let drawn: Readonly<{ all: MultiBar; byName: ReadonlyMap<string, SingleBar> }> | null = null;
  let timer: NodeJS.Timeout | null = null;
  const draw = (): void => {
    const rows = count?.rows() ?? [];
    const width = Math.max(...rows.map(({ name }) => name.length));
    // One a row of the screen; no signals of its own, they are the run's; no colour, so NO_COLOR has nothing to ask.
    const all = new MultiBar({ stream, format: '{name} [{bar}] {value}/{total} looks', barCompleteChar: '=', barIncompleteChar: ' ', barsize: 24, clearOnComplete: true, hideCursor: true, gracefulExit: false, linewrap: null });
    drawn = { all, byName: new Map(rows.map(({ name, done, total }) => [name, all.create(total, done, { name: printable(name).padEnd(width) })])) };
  };
  const stop = (): void => {
    if (timer !== null) clearTimeout(timer);
    drawn?.all.stop();
    drawn = null;
  };
  return {
    planned: (flows) => {
      stop(); // the batch before, where there was one
      count = countWithin(flows, machines, stream.rows - 2);
      timer = setTimeout(draw, barAfterMs);
    },
    looked: (probe) => {
      const row = count?.looked(probe);
      if (row) drawn?.byName.get(row.name)?.update(row.done);
    },
    stop,
  };
}
