// What the doctor has found out, before anything is made of it: types only.
import type { Discovery, Failure, Inventory, Outcome, Phase } from '../model.ts';

/** How `ssh name` would get in, as far as it shows without sending anything. */
export type WayIn = Readonly<{
  host: string;
  settings: Readonly<{ name: string; hostName: string; port: number; user: string }> | Failure;
  /** Files of keys that are there; `fault`: why one is of no use. */
  keys: readonly Readonly<{ file: string; fault: string | null }>[];
  /** The agent, how many keys it holds, or why it does not say; null: there is none. */
  agent: Readonly<{ keys: number }> | Readonly<{ fault: string }> | null;
  /** Types of the host keys on file. */
  hostKeys: readonly string[] | Failure;
}>;

/** A host after our login; `login`: what that saw (null: the operator's seat, which needs none). */
export type Inside = Readonly<{
  host: string;
  beacon: boolean;
  login: Outcome | null;
  prober: 'python' | 'sh' | null;
  root: boolean;
  /** Why there is no prober, or it told nothing. */
  failure: Failure | null;
  /** Connection tracking: what was wrong with it, each time it was shown to record; null: it cannot be read. */
  tracking: readonly string[] | null;
}>;

export type Gathered = Readonly<{
  inventory: Inventory;
  phase: Phase;
  /** As process.versions.node has it. */
  node: string;
  /** Why the reports could not be written. */
  reports: string | null;
  waysIn: readonly WayIn[];
  inside: readonly Inside[];
  discovery: Discovery;
  warnings: readonly string[];
}>;

/** missing: cells cannot be told without it · less: the run can be green, but looks at fewer cells, or proves them less well. */
export type State = 'ok' | 'less' | 'missing' | 'not asked';

/** One thing that a run needs, on one host; `mend`: null where there is nothing to mend, or what it hangs on is told. */
export type Check = Readonly<{ what: string; host: string; state: State; detail: string; mend: string | null; cells: string | null }>;
