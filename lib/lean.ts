// What is kept of a pass once it stands on the disk: all that a run's sums, causes and takeover lines ask of it. Pure.
import type { Backing, Control, Finding, Observation, Wall, Walls, Witness } from './model.ts';

/**
 * A function from findings to lean ones. What did not pass stays whole, as its cause is told with its proof. Of a pass it is what was
 * seen, which walls stand, and what the source's own firewall did; one object stands for all passes that are alike in that.
 */
export function leaning(): (finding: Finding) => Finding {
  const observations = new Map<string, Observation>();
  const backings = new Map<string, Backing>();
  const both = new Map<string, Walls>();
  const reasons = new Map<string, string>();
  return (finding) => {
    const { flow, observation, backing, walls, verdict, waiver } = finding;
    if (verdict.result !== 'pass') return finding;
    const { near, left } = backing;
    return {
      flow, waiver,
      observation: once(observations, observation.outcome.seen, () => withoutReplies(observation)),
      backing: once(backings, JSON.stringify([near?.held, left?.before.held, left?.after.held, left === null || left.saw === null]), () => ({
        sender: null, alive: null, near: near === null ? null : withoutWords(near), left: left === null ? null : leanWitness(left), witnesses: [], listener: null, resets: null, overlay: null,
      })),
      walls: walls === null ? null : once(both, JSON.stringify([walls.near.stands, walls.far.stands, walls.far.observation === null]), () => ({ near: leanWall(walls.near), far: leanWall(walls.far) })),
      verdict: { result: 'pass', reason: once(reasons, verdict.reason, () => verdict.reason), grade: verdict.grade, controls: [] },
    };
  };
}

function once<T>(known: Map<string, T>, key: string, make: () => T): T {
  const found = known.get(key) ?? make();
  known.set(key, found);
  return found;
}

const withoutReplies = ({ id, vantage, startedAt, outcome }: Observation): Observation => ({ id, vantage, startedAt, durationMs: 0, outcome, replies: [] });
const withoutWords = ({ held }: Control): Control => ({ id: '', held, detail: '' });
const leanWitness = ({ before, after, saw }: Witness): Witness => ({ id: '', before: withoutWords(before), after: withoutWords(after), saw });
const leanWall = ({ stands, grade, observation }: Wall): Wall => ({ stands, grade, reason: '', controls: [], observation: observation === null ? null : withoutReplies(observation) });
