// The looks of a run in their order, from the first witness to the last: what is listening and counting before them, what is asked
// again because of loss or a RST, and what the witnesses say when it is over.
import { askAgain, measureLoss } from './again.ts';
import type { Seen } from './backing.ts';
import { findingsOf } from './findings.ts';
import { startListening } from './listen.ts';
import { lookAtAll } from './look.ts';
import { withTries } from './loss.ts';
import type { Loss, Observation, Phase, Plan, Probe, Resets, Window } from './model.ts';
import { startCounting, type Counting, type Sharing } from './resets.ts';
import { sounding } from './sound.ts';
import type { Steps } from './steps.ts';
import { startTracking } from './track.ts';
import type { Vantage } from './vantage.ts';
import { withWindows } from './window.ts';

/** What is known before the first look. */
type Known = Pick<Seen, 'inventory' | 'discovery' | 'plan' | 'sessions'> & Readonly<{ phase: Phase }>;
/** @param turn how the counts of RSTs are shared with the other shards of the run */
type Means = Readonly<{ vantages: ReadonlyMap<string, Vantage>; newToken: () => string; turn: Sharing | null; look: (probe: Probe) => Promise<Observation>; steps: Steps }>;

/** @returns all that verdicts are made from; an observation for each probe of the plan, which has the windows that were waited */
export async function observe(known: Known, { vantages, newToken, turn, look, steps }: Means): Promise<Known & Seen & Readonly<{ loss: Loss; windows: readonly Window[] }>> {
  const { plan, discovery } = known;
  const [listening, tracking] = await Promise.all([startListening({ listeners: plan.listeners, hosts: discovery.hosts, newToken }, vantages), startTracking(discovery, vantages)]);
  const { vantages: timed, roundTrips } = sounding(vantages);
  const counting = await startCounting(timed, turn);
  const { plan: windowed, windows } = withWindows(plan, known, roundTrips);
  steps.end('start listeners and witnesses');
  const once = byId(await lookAtAll(windowed, look, counting.note));
  steps.end('look');
  const measured = await measureLoss(plan, once, vantages);
  const soFar = measured.tries === 0 ? [] : findingsOf({ ...known, observations: once, tracked: await tracking.read(), heard: new Map(), resets: new Map() });
  // What is asked again has the longest window: it is asked because something is wrong.
  const { observations, loss } = await askAgain({ plan, loss: measured, observations: once, findings: soFar, look });
  steps.end('measure the loss and look again');
  if (loss.extraTries > 0) await counting.note();
  const resets = await settleResets(counting, plan, observations, async (probe) => {
    // One SYN has one RST, whereas a busy machine's second try has another. A refusal that does not come again is asked for with
    // all tries: one SYN, lost unseen, would count as no RST, and a refusal as a firewall's.
    const single = observations.get(probe.id)?.outcome.seen === 'refused' ? (await look(withTries(probe, 1, true))).outcome : null;
    return single?.seen === 'refused' ? single : (await look(loss.tries ? withTries(probe, loss.tries, true) : probe)).outcome;
  });
  steps.end('settle resets');
  const [tracked, heard] = await Promise.all([tracking.finish(), listening.finish()]);
  return { ...known, plan: windowed, windows, observations, tracked, heard, resets, loss };
}

const byId = (observations: readonly Observation[]): ReadonlyMap<string, Observation> => new Map(observations.map((observation) => [observation.id, observation]));

/** Of the TCP looks at our own hosts that came to nothing or to a RST: was it the host's own kernel that answered? */
function settleResets(counting: Counting, { flows }: Plan, observations: ReadonlyMap<string, Observation>, again: (probe: Probe) => Promise<Observation['outcome']>): Promise<ReadonlyMap<string, Resets>> {
  // A SYN that the source's own firewall bars meets no port.
  const probes = flows.flatMap(({ probe, nearWall, farWall }) => [nearWall !== null && observations.get(nearWall.id)?.outcome.seen === 'barred' ? null : probe, farWall].filter((one) => one !== null));
  const unsure = probes.filter(({ id, flow, look: how }) => {
    const outcome = observations.get(id)?.outcome;
    return flow.transport === 'tcp' && how.by !== 'raw' && (outcome?.seen === 'silent' || (outcome?.seen === 'refused' && outcome.by === 'rst'));
  });
  return counting.settle(unsure, async (probe) => {
    const outcome = await again(probe);
    return outcome.seen === 'unprobed' ? null : outcome.seen === 'refused';
  });
}
