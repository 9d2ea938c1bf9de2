// The sweep's conductor: enters, asks what is allowed once for its controls, and then sweeps batch by batch, each with witnesses of its own.
import { randomUUID } from 'node:crypto';
import { canonical } from '../address.ts';
import { enterAll } from '../enter.ts';
import { factsOf, isFailure, ownAddresses } from '../facts.ts';
import { look } from '../look.ts';
import type { Failure, Inventory, Observation, Pair, Phase, Unit, UnitResult } from '../model.ts';
import { fastestRate } from '../pace.ts';
import { paced } from '../paced.ts';
import { makePlan } from '../plan.ts';
import { startCounting } from '../resets.ts';
import { endRows } from '../rows.ts';
import { discover, leave, sessionsOf } from '../run.ts';
import { lockOf } from '../shard.ts';
import { sounding } from '../sound.ts';
import { newToken } from '../token.ts';
import { withWindows } from '../window.ts';
import { attemptsOf, noRoom, sweepBatch, type Site } from './ask.ts';
import { nextBatch, turnsOf } from './batch.ts';
import { hostsOf, pairsOf, unknownPairs } from './cells.ts';
import { unsweptUnit } from './judge.ts';
import { makeRoom } from './room.ts';
import { paceOf, type Pace, type Range } from './units.ts';

export type SweepOptions = Readonly<{
  inventory: Inventory;
  phase: Phase;
  /** Packets a second, a vantage. */
  rate: number;
  transports: readonly Pair['transport'][];
  wanted: (pair: Pick<Pair, 'from' | 'to'> & Partial<Pick<Pair, 'named'>>) => boolean;
  /** What is still to be swept of a pair: asked before each unit. */
  left: (pair: Pair) => readonly Range[];
  /** All there is to do, before anything is swept, and again at each shift. @throws what is wrong with it: then nothing is */
  planned: (pairs: readonly Pair[]) => void;
  swept: (result: UnitResult) => void;
  packets: (unit: Unit, count: number) => void;
  /** Told once how to end it before its time. */
  stoppable: (stop: () => void) => void;
  stopped: () => string | null;
}>;

/** A prober lives half an hour (lifetimeS in boot.ts); the last batch of a shift may take minutes, and what it did not come to is swept in the next. */
const [shiftMs, lateMs] = [1_200_000, 120_000];

/** In shifts, each with logins of its own. @returns what kept it from looking in the last one: hosts that could not be entered, addresses that are not known */
export async function sweep(options: SweepOptions): Promise<readonly Failure[]> {
  const learnt: Learnt = { pace: paceOf(), refused: new Set() };
  for (;;) {
    const { failures, left } = await shift(options, learnt, Date.now() + shiftMs);
    if (!left || options.stopped() !== null) return failures;
  }
}

/** What one shift learns for the next: how fast each pair is, and the pairs that their destination answers by RSTs. */
type Learnt = Readonly<{ pace: Pace; refused: Set<string> }>;

async function shift(options: SweepOptions, learnt: Learnt, untilMs: number): Promise<Readonly<{ failures: readonly Failure[]; left: boolean }>> {
  const { inventory: given, phase, rate, transports, wanted, left, planned, packets, stoppable, stopped } = options;
  const inventory = endRows(given, new Date().toISOString().slice(0, 10));
  const entered = await enterAll(inventory, lockOf(randomUUID(), null));
  stoppable(() => leave(entered));
  const vantages = new Map(entered.flatMap(({ host, vantage }) => (vantage === null ? [] : [[host, vantage] as const])));
  try {
    const unknown = entered.map(({ facts }) => facts).find((facts): facts is Failure => isFailure(facts) && facts.operation === 'known-hosts');
    if (unknown !== undefined) throw new Error(`${unknown.cause}. Nothing was sent`);
    const discovery = await discover({ inventory, phase, newToken }, entered, vantages);
    const { vantages: timed, roundTrips } = sounding(vantages);
    await startCounting(timed);
    const { plan } = withWindows(makePlan({ inventory, discovery, phase, newToken }), { inventory, discovery }, roundTrips);
    const pairs = pairsOf(plan, { inventory, discovery }, transports).filter(wanted);
    planned(pairs);
    const looking: Site['looking'] = (perSecond) => {
      const bounded = perSecond > fastestRate ? vantages : new Map([...vantages].map(([host, vantage]) => [host, paced(vantage, factsOf(discovery, host), perSecond)]));
      return (probe) => look(probe, { entered, vantages: bounded, stopped });
    };
    const base = { inventory, discovery, sessions: sessionsOf(entered), plan: { ...plan, flows: plan.flows.filter(({ flow }) => flow.expected === 'allowed'), listeners: [] } };
    const probes = [...base.plan.flows.map(({ probe }) => probe), ...plan.controls];
    const observations = new Map<string, Observation>((await Promise.all(probes.map(looking(rate)))).map((one) => [one.id, one]));
    const isOver = (): boolean => stopped() !== null || Date.now() > untilMs + lateMs;
    const site: Site = {
      base, observations, phase, vantages, looking, newToken, packets, stopped,
      measured: ({ pair, unit }, ms) => learnt.pace.measured(pair, vantages.get(pair.from)?.kind ?? 'sh', unit.last - unit.first + 1, ms),
      refused: ({ id }) => void learnt.refused.add(id),
      room: makeRoom(vantages, (pair) => hostsOf(pair, vantages), isOver),
      isOver,
    };
    await sweepAll(site, pairs, options, learnt, untilMs);
    const unknownTo = unknownPairs(plan, { inventory }, transports).filter(wanted).map(({ id, cause }): Failure => ({ operation: 'facts', cause: `${id}: not swept: ${cause}` }));
    return { failures: [...entered.flatMap(({ facts }) => (isFailure(facts) ? [facts] : [])), ...unknownTo], left: pairs.some((pair) => left(pair).length > 0) };
  } finally {
    leave(entered);
  }
}

/** Batches that do not disturb each other side by side, until nothing is left or the shift is over. */
async function sweepAll(site: Site, pairs: readonly Pair[], { rate, left, swept, stopped }: SweepOptions, { pace, refused }: Learnt, untilMs: number): Promise<void> {
  const { vantages, base: { inventory, discovery } } = site;
  const { gateway } = inventory.site;
  const ofGateway = ownAddresses(discovery, gateway);
  const passedBy = ({ from, to, template: { witnesses, flow: { route } } }: Pair): readonly string[] => [...witnesses.filter((host) => host !== to && host !== from), ...(ofGateway.has(canonical(route?.via ?? '')) ? [gateway] : [])];
  const isOver = (): boolean => stopped() !== null || Date.now() > untilMs;

  const lacking = (batch: readonly Pair[], why: (pair: Pair) => string): void => {
    for (const pair of batch) for (const [first, last] of left(pair)) swept(unsweptUnit({ pair: pair.id, first, last }, pair, why(pair), 0));
  };
  const sweepOne = async (batch: readonly Pair[]): Promise<void> => {
    const rooms = await site.room.of(batch);
    const roomFor = ({ id }: Pair): number => rooms.get(id) ?? 0;
    const ready = batch.filter((pair) => roomFor(pair) >= 1);
    if (site.isOver()) return;
    if (ready.length === 0) return lacking(batch, (pair) => `${noRoom}: ${hostsOf(pair, vantages).join(', ')}`);
    const kindOf = ({ from }: Pair): 'python' | 'sh' => vantages.get(from)?.kind ?? 'sh';
    const turns = turnsOf(ready, { rate, room: roomFor, left, speed: (pair, ofSource) => pace.of(pair, kindOf(pair), ofSource), attempts: (pair) => attemptsOf(kindOf(pair)) });
    for (const result of await sweepBatch(site, turns)) swept(result);
  };

  for (const pair of pairs.filter(({ from }) => !vantages.has(from))) {
    const facts = factsOf(discovery, pair.from);
    lacking([pair], () => (isFailure(facts) ? facts.cause : `no prober on ${pair.from}`));
  }
  const running = new Map<Promise<void>, readonly Pair[]>();
  for (;;) {
    const batch = isOver() ? [] : nextBatch(pairs.filter((pair) => vantages.has(pair.from) && left(pair).length > 0), [...running.values()].flat(), { passedBy, refused: ({ id }) => refused.has(id), rate });
    if (batch.length > 0) {
      const work: Promise<void> = sweepOne(batch).finally(() => running.delete(work));
      running.set(work, batch);
    } else if (running.size === 0) return;
    else await Promise.race(running.keys());
  }
}
