// What was seen of a denied flow's firewalls one by one -> which of them stands. Pure.
import { judge } from './judge.ts';
import type { Backing, Flow, Observation, Outcome, Wall, Walls } from './model.ts';

const unasked: Wall = { stands: null, grade: null, reason: 'not looked at', controls: [], observation: null };

/** @param far the look past the source's own firewall and what stands behind it; null: there was none */
export function judgeWalls(flow: Flow, outcome: Outcome, backing: Backing, near: Observation | null, far: Readonly<{ observation: Observation; backing: Backing }> | null): Walls {
  return { near: nearWall(outcome, backing, near), far: far === null ? unasked : farWall(flow, far.observation, far.backing) };
}

function nearWall(outcome: Outcome, { near, left }: Backing, observation: Observation | null): Wall {
  const wall = (stands: boolean, reason: string, controls: readonly string[] = []): Wall => ({ stands, grade: stands ? 'proven' : null, reason, controls, observation });
  if (outcome.seen === 'barred') return wall(true, outcome.detail);
  if (near?.held === true) return wall(true, near.detail, [near.id]);
  if (near !== null && observation !== null && observation.outcome.seen !== 'unprobed') return wall(false, near.detail, [near.id]);
  if (left === null || !left.before.held || !left.after.held) return { ...unasked, observation };
  const controls = [left.before.id, left.after.id];
  return left.saw === null ? wall(true, 'nothing of it left', controls) : wall(false, `it left: ${left.saw}`, controls);
}

/** Judged as the denied flow that it is, with what witnessed this very frame. */
function farWall(flow: Flow, observation: Observation, backing: Backing): Wall {
  const verdict = judge(flow, observation.outcome, backing);
  const { reason, controls } = verdict;
  if (verdict.result === 'pass') return { stands: true, grade: verdict.grade, reason, controls, observation };
  return { stands: verdict.result === 'fail' ? false : null, grade: null, reason, controls, observation };
}
