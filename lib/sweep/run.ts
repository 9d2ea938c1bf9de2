// The sweep's conductor: enters, asks what is allowed once for its controls, and then sweeps pair by pair, each unit with witnesses of its own.
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { enterAll } from '../enter.ts';
import { factsOf, isFailure, operator } from '../facts.ts';
import { look } from '../look.ts';
import type { Discovery, Failure, Inventory, Observation, Pair, Phase, Probe, Resets, Unit, UnitResult } from '../model.ts';
import { withTries } from '../loss.ts';
import { makePlan } from '../plan.ts';
import { startCounting } from '../resets.ts';
import { endRows } from '../rows.ts';
import { discover, leave, sessionsOf } from '../run.ts';
import { lockOf } from '../shard.ts';
import { startTracking } from '../track.ts';
import type { Vantage } from '../vantage.ts';
import { readBounds, roomIn, watchBounds } from './bounds.ts';
import { cellOf, framePortOf, pairsOf, unknownPairs } from './cells.ts';
import { doubtOf, isSweptAgain, judgeNamed, judgeUnit, unsettled, unsweptUnit } from './judge.ts';
import { disjoint } from './schedule.ts';
import { paceOf, unitOf, type Pace, type Range } from './units.ts';

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

/** As the plan's denied cells. */
const attempts = 3;
/** Below those that the kernel gives, and apart from the plan's own draws by luck alone: they have ended. */
const portOf = (token: string): number => 20_000 + (Number.parseInt(token.slice(0, 6), 16) % 12_000);

/** A prober lives half an hour (lifetimeS in boot.ts); the last unit of a shift may take minutes. */
const shiftMs = 1_200_000;
/** So long a machine is waited for that tracks too many connections: those that nobody answers are forgotten after two minutes. */
const patienceMs = 300_000;

/** In shifts, each with logins of its own. @returns what kept it from looking in the last one: hosts that could not be entered, addresses that are not known */
export async function sweep(options: SweepOptions): Promise<readonly Failure[]> {
  const pace = paceOf(options.rate, attempts);
  for (;;) {
    const { failures, left } = await shift(options, pace, Date.now() + shiftMs);
    if (!left || options.stopped() !== null) return failures;
  }
}

async function shift({ inventory: given, phase, rate, transports, wanted, left, planned, swept, packets, stoppable, stopped }: SweepOptions, pace: Pace, untilMs: number): Promise<Readonly<{ failures: readonly Failure[]; left: boolean }>> {
  const newToken = (): string => randomBytes(16).toString('hex');
  const inventory = endRows(given, new Date().toISOString().slice(0, 10));
  const entered = await enterAll(inventory, lockOf(randomUUID(), null));
  stoppable(() => leave(entered));
  const vantages = new Map(entered.flatMap(({ host, vantage }) => (vantage === null ? [] : [[host, vantage] as const])));
  try {
    const unknown = entered.map(({ facts }) => facts).find((facts): facts is Failure => isFailure(facts) && facts.operation === 'known-hosts');
    if (unknown !== undefined) throw new Error(`${unknown.cause}. Nothing was sent`);
    const discovery = await discover({ inventory, phase, newToken }, entered, vantages);
    const plan = makePlan({ inventory, discovery, phase, newToken });
    const pairs = pairsOf(plan, { inventory, discovery }, transports).filter(wanted);
    planned(pairs);
    const base = { ...plan, flows: plan.flows.filter(({ flow }) => flow.expected === 'allowed'), listeners: [] };
    const seat = { entered, vantages, stopped };
    const probes = [...base.flows.map(({ probe }) => probe), ...plan.controls];
    const observations = new Map<string, Observation>((await Promise.all(probes.map((probe) => look(probe, seat)))).map((one) => [one.id, one]));
    const sessions = sessionsOf(entered);

    const settle = async (host: string, unsure: readonly Probe[]): Promise<ReadonlyMap<string, Resets>> => {
      const target = vantages.get(host);
      if (unsure.length === 0 || target === undefined) return new Map();
      return (await startCounting(new Map([[host, target]]))).settle(unsure, async (probe) => {
        const { outcome } = await look(withTries(probe, attempts, true), seat);
        return outcome.seen === 'unprobed' ? null : outcome.seen === 'refused';
      });
    };
    const watched = ({ from, to, template }: Pair): readonly string[] => [...new Set([from, to, ...template.witnesses])].filter((host) => vantages.has(host));
    // The tables are large by what a sweep leaves in them: of its own machines alone, and what its own source sent.
    const trackedFor = (pair: Pair): Discovery => {
      const senders = new Set([pair.from, inventory.site.gateway, operator]);
      return { ...discovery, witnesses: discovery.witnesses.filter((host) => watched(pair).includes(host)), hosts: Object.fromEntries(Object.entries(discovery.hosts).filter(([host]) => senders.has(host))) };
    };
    const roomFor = async (pair: Pair): Promise<number> => {
      for (const until = Date.now() + patienceMs; ; await sleep(1_000)) {
        const room = roomIn(await readBounds(watched(pair), vantages));
        if (room >= 1 || Date.now() > until || stopped() !== null) return room;
      }
    };
    const sweepUnit = async (pair: Pair, unit: Unit, vantage: Vantage, isAgain = false): Promise<UnitResult | null> => {
      const [startedAt, token] = [new Date(), newToken()];
      const bounds = watchBounds(watched(pair), vantages);
      const [before, tracking] = await Promise.all([vantages.get(pair.to)?.resets(), startTracking(trackedFor(pair), vantages)]);
      const cells = (pair.named ?? []).filter((port) => port >= unit.first && port <= unit.last).map((port) => cellOf(pair, port, newToken()));
      const ask = { transport: pair.transport, address: pair.address, first: unit.first, last: unit.last, sourcePort: portOf(token), attempts, rate, windowMs: inventory.site.timing.denied.windowMs, past: pair.past };
      const told = pair.named === null ? await vantage.sweep(ask, (count) => packets(unit, count)) : await Promise.all(cells.map(({ probe }) => look(probe, seat)));
      const [after, tracked] = await Promise.all([vantages.get(pair.to)?.resets(), tracking.finish()]);
      const most = await bounds();
      const ms = Date.now() - startedAt.getTime();
      if (stopped() !== null) return null; // half a unit is none: it is swept anew when the sweep is gone on with
      if ('operation' in told) return unsweptUnit(unit, told.cause, ms);
      const resets = typeof before === 'number' && typeof after === 'number' ? after - before : null;
      const sourcePort = pair.past !== null ? framePortOf(pair) : vantage.kind === 'python' ? portOf(token) : null;
      const seen = { base: { inventory, discovery, plan: base, tracked, sessions }, observations, phase, resets, settled: new Map<string, Resets>(), sourcePort, startedAt: startedAt.toISOString(), ms, token };
      if (!('states' in told)) return { ...judgeNamed(unit, pair, cells, told, seen), bounds: most };
      pace.measured(pair, vantage.kind, unit.last - unit.first + 1, ms);
      const settledToo = { ...seen, settled: await settle(pair.to, unsettled(pair, told, resets, token)) };
      const result = { ...judgeUnit(unit, pair, told, settledToo), bounds: most };
      return !isAgain && isSweptAgain(result, doubtOf(unit, pair, told, settledToo)) ? sweepUnit(pair, unit, vantage, true) : result;
    };
    // A host that sweeps sends RSTs of its own for what answers: nobody counts its RSTs meanwhile.
    await disjoint(pairs, ({ from, to }) => [from, to], async (pair) => {
      const vantage = vantages.get(pair.from);
      const facts = factsOf(discovery, pair.from);
      for (let [range] = left(pair); range !== undefined; [range] = left(pair)) {
        if (stopped() !== null || Date.now() > untilMs) return;
        const whole = { pair: pair.id, first: range[0], last: range[1] };
        const room = vantage === undefined ? 0 : await roomFor(pair);
        const lacks = vantage === undefined ? (isFailure(facts) ? facts.cause : `no prober on ${pair.from}`) : room < 1 ? `a machine on the way tracks more than half of the connections that it can: ${watched(pair).join(', ')}` : null;
        if (stopped() !== null) return;
        const result = vantage === undefined || lacks !== null ? unsweptUnit(whole, lacks ?? '', 0) : await sweepUnit(pair, unitOf(pair, range, pace.of(pair, vantage.kind), room), vantage);
        if (result === null) return;
        swept(result);
      }
    });
    const unknownTo = unknownPairs(plan, { inventory }, transports).filter(wanted).map(({ id, cause }): Failure => ({ operation: 'facts', cause: `${id}: not swept: ${cause}` }));
    return { failures: [...entered.flatMap(({ facts }) => (isFailure(facts) ? [facts] : [])), ...unknownTo], left: pairs.some((pair) => left(pair).length > 0) };
  } finally {
    leave(entered);
  }
}
