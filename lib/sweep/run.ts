// The sweep's conductor: enters, asks what is allowed once for its controls, and then sweeps pair by pair, each unit with witnesses of its own.
import { randomBytes, randomUUID } from 'node:crypto';
import { enterAll } from '../enter.ts';
import { factsOf, isFailure } from '../facts.ts';
import { look } from '../look.ts';
import type { Failure, Inventory, Observation, Pair, Phase, Probe, Resets, Unit, UnitResult } from '../model.ts';
import { withTries } from '../loss.ts';
import { makePlan } from '../plan.ts';
import { startCounting } from '../resets.ts';
import { endRows } from '../rows.ts';
import { discover, leave, sessionsOf } from '../run.ts';
import { lockOf } from '../shard.ts';
import { startTracking } from '../track.ts';
import type { Vantage } from '../vantage.ts';
import { judgeUnit, unsettled } from './judge.ts';
import { disjoint } from './schedule.ts';
import { pairsOf, portsOfUnit, unitsOf, unknownPairs } from './units.ts';

export type SweepOptions = Readonly<{
  inventory: Inventory;
  phase: Phase;
  /** Packets a second, a vantage. */
  rate: number;
  ports: readonly [first: number, last: number];
  wanted: (pair: Pick<Pair, 'from' | 'to'>) => boolean;
  /** What an earlier sweep has done already: asked before a unit is swept. */
  done: (unit: Unit) => boolean;
  /** All there is to do, before anything is swept, and again at each shift. @throws what is wrong with it: then nothing is */
  planned: (pairs: readonly Pair[], units: readonly Unit[]) => void;
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

/** A prober lives half an hour (lifetimeS in vantage.ts); the last unit of a shift may take minutes. */
const shiftMs = 1_200_000;

/** In shifts, each with logins of its own. @returns what kept it from looking in the last one: hosts that could not be entered, addresses that are not known */
export async function sweep(options: SweepOptions): Promise<readonly Failure[]> {
  for (;;) {
    const { failures, left } = await shift(options, Date.now() + shiftMs);
    if (left === 0 || options.stopped() !== null) return failures;
  }
}

async function shift({ inventory: given, phase, rate, ports, wanted, done, planned, swept, packets, stoppable, stopped }: SweepOptions, untilMs: number): Promise<Readonly<{ failures: readonly Failure[]; left: number }>> {
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
    const pairs = pairsOf(plan, Object.keys(inventory.matrix.hosts)).filter(wanted);
    const units = pairs.map((pair) => ({ pair, units: unitsOf(pair, ports, portsOfUnit(rate, attempts)) }));
    planned(pairs, units.flatMap((one) => one.units));
    const base = { ...plan, flows: plan.flows.filter(({ flow }) => flow.expected === 'allowed'), listeners: [] };
    const seat = { entered, vantages, stopped };
    const probes = [...base.flows.map(({ probe }) => probe), ...plan.controls.filter((probe) => probe.look.by !== 'frame')];
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
    const sweepUnit = async (pair: Pair, unit: Unit, vantage: Vantage): Promise<void> => {
      const [startedAt, token] = [new Date(), newToken()];
      const [before, tracking] = await Promise.all([vantages.get(pair.to)?.resets(), startTracking(discovery, vantages)]);
      const sourcePort = vantage.kind === 'python' ? portOf(token) : null;
      const told = await vantage.sweep({ address: pair.address, first: unit.first, last: unit.last, sourcePort: portOf(token), attempts, rate, windowMs: inventory.site.timing.denied.windowMs }, (count) => packets(unit, count));
      const [after, tracked] = await Promise.all([vantages.get(pair.to)?.resets(), tracking.finish()]);
      const ms = Date.now() - startedAt.getTime();
      if (stopped() !== null) return; // half a unit is none: it is swept anew when the sweep is gone on with
      if (isFailure(told)) return swept(failed(unit, told.cause, ms));
      const resets = typeof before === 'number' && typeof after === 'number' ? after - before : null;
      const settled = await settle(pair.to, unsettled(pair, told, resets, token));
      swept(judgeUnit(unit, pair, told, { base: { inventory, discovery, plan: base, tracked, sessions }, observations, phase, resets, settled, sourcePort, startedAt: startedAt.toISOString(), ms, token }));
    };
    // A host that sweeps sends RSTs of its own for what answers: nobody counts its RSTs meanwhile.
    await disjoint(units, ({ pair }) => [pair.from, pair.to], async ({ pair, units: own }) => {
      const vantage = vantages.get(pair.from);
      for (const unit of own.filter((one) => !done(one))) {
        const facts = factsOf(discovery, pair.from);
        if (stopped() !== null || Date.now() > untilMs) return;
        if (vantage === undefined) swept(failed(unit, isFailure(facts) ? facts.cause : `no prober on ${pair.from}`, 0));
        else await sweepUnit(pair, unit, vantage);
      }
    });
    const unknownTo = unknownPairs(plan, Object.keys(inventory.matrix.hosts)).filter(wanted).map(({ id, cause }): Failure => ({ operation: 'facts', cause: `${id}: not swept: ${cause}` }));
    return { failures: [...entered.flatMap(({ facts }) => (isFailure(facts) ? [facts] : [])), ...unknownTo], left: units.flatMap((one) => one.units).filter((unit) => !done(unit)).length };
  } finally {
    leave(entered);
  }
}

const failed = (unit: Unit, cause: string, ms: number): UnitResult => ({ ...unit, passed: {}, open: [], red: [{ port: unit.first, result: 'inconclusive', reason: `could not look: ${cause}` }], more: unit.last - unit.first, packets: 0, ms });
