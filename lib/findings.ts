// All that was seen -> one finding for each planned flow. Pure.
import { backingFor, type Seen } from './backing.ts';
import { judge, judgeConfined } from './judge.ts';
import type { Finding, Observation, Outcome, Phase, PlannedFlow, Probe, Walls } from './model.ts';
import { readSessions } from './sessions.ts';
import { judgeWalls } from './walls.ts';

/** Every planned flow ends in exactly one finding, in the plan's order. */
export function findingsOf(seen: Seen & Readonly<{ phase: Phase }>): readonly Finding[] {
  const backing = backingFor(seen);
  const { hosts } = seen.inventory.matrix;

  const wallsOf = (planned: PlannedFlow, outcome: Outcome, behind: Finding['backing']): Walls | null => {
    const { flow, nearWall, farWall } = planned;
    if (nearWall === null && farWall === null) return null;
    const observation = farWall === null ? undefined : seen.observations.get(farWall.id);
    const far = farWall === null || observation === undefined ? null : { observation, backing: backing.farWall(planned, farWall) };
    return judgeWalls(flow, outcome, behind, nearWall === null ? null : (seen.observations.get(nearWall.id) ?? null), far);
  };
  return seen.plan.flows.map((planned) => {
    const { flow, probe } = planned;
    const looked = seen.observations.get(flow.id) ?? never(probe);
    const observation = probe.look.by === 'sessions' ? { ...looked, outcome: readSessions(flow, probe.look.hosts, seen) } : looked;
    const behind = backing.endToEnd(planned);
    const verdict = judge(flow, observation.outcome, behind);
    const walls = wallsOf(planned, observation.outcome, behind);
    return { flow, observation, backing: behind, walls, verdict: walls !== null && hosts[flow.from]?.confined === true ? judgeConfined(verdict, walls) : verdict, waiver: null };
  });
}

function never({ id, vantage }: Probe): Observation {
  return { id, vantage, startedAt: '', durationMs: 0, outcome: { seen: 'unprobed', failure: { operation: 'exchange', cause: 'no observation was made' } }, replies: [] };
}
