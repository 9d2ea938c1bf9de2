// Where a run's time goes, step by step, for its record and the benchmark. Pure but for the clock that it is given.
import type { Step } from './model.ts';

export type Steps = Readonly<{
  /** Ends the step that is under way, under this name. */
  end: (name: string) => void;
  /** Those since it was asked last. */
  taken: () => readonly Step[];
}>;

/** @param now ms since the process began: the first step is that of getting here */
export function makeSteps(now: () => number = () => performance.now()): Steps {
  const steps: Step[] = [];
  let began = 0;
  return {
    end: (name) => {
      const at = now();
      steps.push({ name, ms: Math.round(at - began) });
      began = at;
    },
    taken: () => steps.splice(0),
  };
}
