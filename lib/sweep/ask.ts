// One batch: its units are swept at once, between one look at the witnesses and the next. What the destination's count of RSTs cannot tell
// of all of them together is swept again in parts, down to each by itself.
import { operator } from '../facts.ts';
import { withTries } from '../loss.ts';
import type { Account, Bounds, Discovery, Failure, Found, Observation, Pair, Phase, PlannedFlow, Probe, Resets, SweepSeen, Swept, Tracked, Turn, Unit, UnitResult } from '../model.ts';
import { startCounting } from '../resets.ts';
import { startTracking } from '../track.ts';
import type { Vantage } from '../vantage.ts';
import { partsOf } from './batch.ts';
import { watchBounds } from './bounds.ts';
import { cellOf, framePortOf, hostsOf } from './cells.ts';
import { doubtOf, isSweptAgain, refusedOf, unsettled } from './doubt.ts';
import { foundIn, judgeNamed, judgeUnit, unsweptUnit } from './judge.ts';
import type { Room } from './room.ts';

/** What all batches stand on. `base`: the run's plan with its allowed flows alone, and `observations` what was seen of them. */
export type Site = Readonly<{
  base: Omit<Account, 'heard' | 'resets' | 'tracked'>;
  observations: ReadonlyMap<string, Observation>;
  phase: Phase;
  vantages: ReadonlyMap<string, Vantage>;
  room: Room;
  /** @param rate packets a second, of all looks that this one function makes */
  looking: (rate: number) => (probe: Probe) => Promise<Observation>;
  newToken: () => string;
  packets: (unit: Unit, count: number) => void;
  /** Told how long a unit took. */
  measured: (turn: Turn, ms: number) => void;
  /** Told of a pair that the destination sent RSTs while it was swept by itself. */
  refused: (pair: Pair) => void;
  stopped: () => string | null;
  /** Whether nothing more is to be begun. */
  isOver: () => boolean;
}>;

/** As the plan's denied cells; of nc, what it sends in the two seconds that its own clock is set to. */
export const attemptsOf = (kind: Vantage['kind']): number => (kind === 'sh' ? 2 : 3);

/** What an earlier sweep of a pair's unit found, by pair. */
type Before = ReadonlyMap<string, Found>;

/**
 * @param isLast whether what is in doubt stays so
 * @returns a result for each that came to its end: half a unit is none, and is swept anew when the sweep is gone on with
 */
export async function sweepBatch(site: Site, turns: readonly Turn[], before: Before = new Map(), isLast = false): Promise<readonly UnitResult[]> {
  const { told, sent } = await sweepAtOnce(site, turns);
  if (site.stopped() !== null) return [];
  const isAnswered = (one: Told): one is Counted => sent !== null && sent > 0 && isCounted(one);
  // Whose the RSTs of several were, nobody knows; nor where there is a refusal for each: some may be lost, and a firewall's come in their place.
  const unclear = told.length === 1 ? [] : told.filter(isAnswered);
  const results: UnitResult[] = [];
  const doubted: Counted[] = [];
  for (const one of told.filter((each) => !unclear.includes(each as Counted))) {
    const settled = isAnswered(one) ? await settle(site, one, sent) : new Map<string, Resets>();
    if (isAnswered(one)) site.refused(one.turn.pair);
    const seen = { ...one.seen, resets: sent, settled, found: foundBefore(before, one.turn) };
    const result = { ...resultOf(one, seen), bounds: one.bounds };
    if (!isLast && isCounted(one) && isSweptAgain(result, doubtOf(one.turn.unit, one.turn.pair, one.swept, seen))) doubted.push(one);
    else results.push(result);
  }
  const again = async (part: readonly Turn[], found: Before, last: boolean): Promise<void> => {
    if (part.length === 0 || site.isOver()) return;
    const hasRoom = await site.room.has(part);
    results.push(...withPackets(hasRoom ? await sweepBatch(site, part, found, last) : part.map((turn) => unsweptUnit(turn.unit, turn.pair, noRoom, 0, foundBefore(found, turn))), told));
  };
  const foundOf = (some: readonly Counted[]): Before => new Map(some.map((one) => [one.turn.pair.id, foundIn(one.turn.unit, one.turn.pair, one.swept, { ...one.seen, resets: null, settled: new Map(), found: foundBefore(before, one.turn) })]));
  await again(doubted.map(({ turn }) => turn), foundOf(doubted), true);
  if (unclear.length === 0) return results;
  const found = foundOf(unclear);
  const refused = new Set(unclear.filter(({ swept }) => refusedOf(swept).length > 0).map(({ turn }) => turn));
  for (const part of partsOf(unclear.map(({ turn }) => turn), (turn) => refused.has(turn))) await again(part, found, isLast);
  return results;
}

const foundBefore = (before: Before, { pair }: Turn): Found => before.get(pair.id) ?? new Map();

export const noRoom = 'a machine on its way tracks more than half of the connections that it can';

/** What was said of a unit, and of its ports one by one where they are named. */
type Told = Readonly<{ turn: Turn; swept: Swept | Failure | readonly Observation[]; cells: readonly PlannedFlow[]; seen: Omit<SweepSeen, 'resets' | 'settled' | 'found'>; bounds: Readonly<Record<string, Bounds>> }>;
type Counted = Told & Readonly<{ swept: Swept }>;

/** Whether the destination's RSTs have something to say of it. */
const isCounted = (one: Told): one is Counted => 'states' in one.swept && one.turn.pair.transport === 'tcp';

function resultOf({ turn: { pair, unit }, swept, cells }: Told, seen: SweepSeen): UnitResult {
  if ('operation' in swept) return unsweptUnit(unit, pair, swept.cause, seen.ms, seen.found);
  return 'states' in swept ? judgeUnit(unit, pair, swept, seen) : judgeNamed(unit, pair, cells, swept, seen);
}

/** What was sent for a unit before it was swept again counts, too. */
function withPackets(results: readonly UnitResult[], told: readonly Told[]): readonly UnitResult[] {
  const before = new Map(told.flatMap(({ turn, swept }) => ('states' in swept ? [[turn.pair.id, swept.packets] as const] : [])));
  return results.map((result) => ({ ...result, packets: result.packets + (before.get(result.pair) ?? 0) }));
}

/** @returns sent: how many RSTs the destination sent meanwhile; null: not known */
async function sweepAtOnce(site: Site, turns: readonly Turn[]): Promise<Readonly<{ told: readonly Told[]; sent: number | null }>> {
  const { vantages, stopped } = site;
  const hosts = [...new Set(turns.flatMap(({ pair }) => hostsOf(pair, vantages)))];
  const target = vantages.get(turns[0]?.pair.to ?? '');
  const bounds = watchBounds(hosts, vantages);
  const begun = site.room.take(turns);
  const [first, tracking] = await Promise.all([target?.resets(), startTracking(trackedFor(site, turns, hosts), vantages)]);
  const ports = new Set(turns.map(({ pair }) => framePortOf(pair)));
  const asked = await Promise.all(turns.map((turn) => ask(site, turn, ports)));
  begun();
  const [last, tracked] = await Promise.all([target?.resets(), tracking.finish()]);
  const most = await bounds();
  const told = asked.map((one): Told => {
    const own = hostsOf(one.turn.pair, vantages);
    const isOwn = ([host]: readonly [string, unknown]): boolean => own.includes(host);
    // What others send at the same time is in tables of their own.
    return { ...one, seen: { ...one.seen, base: { ...site.base, tracked: new Map<string, Tracked>([...tracked].filter(isOwn)) } }, bounds: Object.fromEntries(Object.entries(most).filter(isOwn)) };
  });
  if (stopped() === null) for (const { turn, swept, seen: { ms } } of told) if ('states' in swept) site.measured(turn, ms);
  return { told, sent: typeof first === 'number' && typeof last === 'number' ? last - first : null };
}

/** The tables are large by what a sweep leaves in them: of its own machines alone, and what its own sources sent. */
function trackedFor({ base: { inventory, discovery } }: Site, turns: readonly Turn[], hosts: readonly string[]): Discovery {
  const senders = new Set([...turns.map(({ pair }) => pair.from), inventory.site.gateway, operator]);
  return { ...discovery, witnesses: discovery.witnesses.filter((host) => hosts.includes(host)), hosts: Object.fromEntries(Object.entries(discovery.hosts).filter(([host]) => senders.has(host))) };
}

/** Below those that the kernel gives, and apart from the plan's own draws by luck alone: they have ended. No other of the batch has it. */
function portFor(token: string, taken: Set<number>): number {
  const [first, count] = [20_000, 12_000];
  let port = Number.parseInt(token.slice(0, 6), 16) % count;
  while (taken.has(first + port)) port = (port + 1) % count;
  taken.add(first + port);
  return first + port;
}

async function ask(site: Site, { pair, unit, rate }: Turn, taken: Set<number>): Promise<Omit<Told, 'bounds' | 'seen'> & Readonly<{ seen: Omit<Told['seen'], 'base'> }>> {
  const startedAt = new Date();
  const token = site.newToken();
  const port = portFor(token, taken);
  const vantage = site.vantages.get(pair.from);
  const cells = (pair.named ?? []).filter((one) => one >= unit.first && one <= unit.last).map((one) => cellOf(pair, one, site.newToken()));
  const { look } = pair.template.probe;
  const windowMs = look.by === 'exchange' ? look.exchange.windowMs : site.base.inventory.site.timing.denied.windowMs;
  const swept = vantage === undefined ? { operation: 'start-prober' as const, cause: `no prober on ${pair.from}` }
    : pair.named !== null ? await Promise.all(cells.map(({ probe }) => probe).map(site.looking(rate)))
    : await vantage.sweep({ transport: pair.transport, address: pair.address, first: unit.first, last: unit.last, sourcePort: port, attempts: attemptsOf(vantage.kind), rate, windowMs, past: pair.past }, (count) => site.packets(unit, count));
  const sourcePort = pair.past !== null ? framePortOf(pair) : vantage?.kind === 'python' ? port : null;
  return { turn: { pair, unit, rate }, swept, cells, seen: { observations: site.observations, phase: site.phase, sourcePort, startedAt: startedAt.toISOString(), ms: Date.now() - startedAt.getTime(), token } };
}

/** Of ports that were refused while nobody else asked the destination: each once more, so that its count tells which of them its own kernel refused. */
async function settle({ vantages, looking }: Site, { turn: { pair, rate }, swept, seen: { token } }: Counted, sent: number | null): Promise<ReadonlyMap<string, Resets>> {
  const unsure = unsettled(pair, swept, sent, token);
  const target = vantages.get(pair.to);
  if (unsure.length === 0 || target === undefined) return new Map();
  const [tries, look] = [attemptsOf(vantages.get(pair.from)?.kind ?? 'python'), looking(rate)];
  return (await startCounting(new Map([[pair.to, target]]))).settle(unsure, async (probe) => {
    const { outcome } = await look(withTries(probe, tries, true));
    return outcome.seen === 'unprobed' ? null : outcome.seen === 'refused';
  });
}
