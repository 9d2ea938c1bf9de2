// A command in a machine, as a user of the lab runs it: a rule that it changed takes
// effect at once, also for connections that are open.
import { type Result, run, type RunOptions } from './inside.ts';
import { mindingRules } from './phase.ts';
import type { AnyName } from './standing.ts';

export const exec = (name: AnyName, argv: readonly string[], options: RunOptions = {}): Promise<Result> =>
  mindingRules(name, () => run(name, argv, options));
