// The records of a run's shards -> the record of the whole. Each cell keeps what its own shard made of it. Pure.
import type { Clock, Gap, Loss, RunRecord, Step } from '../model.ts';
import { grouped } from '../grouped.ts';
import { ownSources, shardName, sourcesOf } from '../shard.ts';
import { applyWaivers } from '../waivers.ts';

/** They are not the shards of one run, or not all of them; the message has a line for each reason. */
export class MergeError extends Error {
  override readonly name = 'MergeError';
}

type Run = RunRecord['run'];
type Part = RunRecord & Readonly<{ run: Run & Readonly<{ shard: NonNullable<Run['shard']> }>; account: NonNullable<RunRecord['account']> }>;
/** What is asked of a part once its account is let go of. */
export type Looked = Pick<Part, 'run' | 'findings'>;

const isPart = (record: RunRecord): record is Part => record.run.shard !== null && record.account !== undefined;

/** Shards are several machines' looks at once, batches one machine's looks one after the other. */
export type Kind = 'shards' | 'batches';

/**
 * @param names what to call each in a message
 * @throws MergeError where one is missing, there twice, of another run, inventory, document, phase or version, or of other sources than its own
 */
export function mergeRecords(records: readonly RunRecord[], names: readonly string[] = records.map(({ run }) => (run.shard === null ? run.id : shardName(run.shard))), kind: Kind = 'shards'): RunRecord {
  const strangers = records.flatMap((record, index) => (isPart(record) ? [] : [`${names[index]}: the report of a whole run, not of a shard`]));
  if (strangers.length > 0) throw new MergeError(strangers.join('\n'));
  const [first, ...others] = records.filter(isPart).toSorted((a, b) => a.run.shard.number - b.run.shard.number);
  if (first === undefined) throw new MergeError('no shard is there');
  const parts = [first, ...others] as const;
  const unlike = differences(records, names);
  const faults = unlike.length > 0 ? unlike : incomplete(parts, inventoryOf(parts));
  if (faults.length > 0) throw new MergeError(faults.join('\n'));

  const inventory = inventoryOf(parts);
  const findings = inOrder(parts.flatMap((part) => part.findings), inventory);
  return { schema: 1, run: mergeRuns(parts, findings, inventory, kind), controls: [], findings, parts };
}

/** In a whole run's order. */
export function inOrder(findings: RunRecord['findings'], inventory: Inventory): RunRecord['findings'] {
  const bySource = grouped(findings, ({ flow }) => flow.from);
  return sourcesOf(inventory).flatMap((source) => bySource.get(source) ?? []);
}

/** All that the shards of one run have alike, under the name that people know it by. */
const alike: readonly (readonly [what: string, of: (run: Run) => string])[] = [
  ['run id', ({ id }) => id],
  ['number of shards', ({ shard }) => String(shard?.of)],
  ['inventory', ({ inventoryHash }) => `sha256:${inventoryHash}`],
  ['document', ({ matrixHash }) => (matrixHash === null ? 'none' : `sha256:${matrixHash}`)],
  ['phase', ({ phase }) => phase],
  ['version of flowproof', ({ version }) => version],
];

function differences(records: readonly RunRecord[], names: readonly string[]): readonly string[] {
  return alike.flatMap(([what, of]) => {
    const values = new Set(records.map(({ run }) => of(run)));
    return values.size === 1 ? [] : [`the ${what} is not the same: ${records.map(({ run }, index) => `${names[index]} has ${of(run)}`).join(', ')}`];
  });
}

type Inventory = Part['account']['inventory'];

/** They all have the same; that of one that has looked at something is believed. */
const inventoryOf = (parts: readonly [Part, ...Part[]]): Inventory => (parts.find(({ findings }) => findings.length > 0) ?? parts[0]).account.inventory;

/** One line for each part that is missing, there twice, or of other sources than its own. */
export function incomplete(parts: readonly Looked[], inventory: Inventory): readonly string[] {
  const of = parts[0]?.run.shard.of ?? 1;
  return Array.from({ length: of }, (_none, index) => index + 1).flatMap((number) => {
    const found = parts.filter(({ run }) => run.shard.number === number);
    const name = shardName({ number, of });
    if (found.length !== 1) return [found.length === 0 ? `${name} is missing` : `${name} is there ${found.length} times`];
    const own = ownSources(inventory, { number, of });
    return found.flatMap(({ run, findings }) => {
      const isOwn = run.shard.sources.join() === own.join() && findings.every(({ flow }) => own.includes(flow.from));
      return isOwn ? [] : [`${name} is about ${run.shard.sources.join(', ') || 'nobody'}; by the inventory, its sources are ${own.join(', ') || 'none'}`];
    });
  });
}

/** What a run's parts say of it together. Of the findings no more is asked than waivers do. */
export function mergeRuns(parts: readonly Looked[], findings: RunRecord['findings'], inventory: Inventory, kind: Kind): Run {
  const runs = parts.map(({ run }) => run);
  const looking = parts.filter((part) => part.findings.length > 0).map(({ run }) => run);
  const [{ windows: _ofOneShard, ...some }] = [...looking, ...runs] as [Run];
  const startedAt = runs.map((run) => run.startedAt).toSorted()[0] ?? some.startedAt;
  const distinct = (values: readonly string[]): readonly string[] => [...new Set(values)];
  return {
    ...some,
    startedAt, endedAt: runs.map((run) => run.endedAt).toSorted().at(-1) ?? some.endedAt,
    operator: distinct(runs.map(({ operator }) => operator)).join(', '), node: distinct(runs.map(({ node }) => node)).join(', '),
    selection: null, shard: null,
    shards: kind === 'batches' ? null : runs.map(({ shard, operator, startedAt: from, endedAt: to }) => ({ number: shard.number, sources: shard.sources, operator, startedAt: from, endedAt: to })),
    clock: kind === 'batches' ? closestClock(looking) : worstClock(looking), hosts: hostsOf(runs, inventory),
    universe: runs.reduce((sum, { universe }) => sum + universe, 0), gaps: gapsOf(runs, sourcesOf(inventory)), loss: lossOf(runs), steps: kind === 'batches' ? stepsOf(runs) : [],
    stopped: distinct(runs.flatMap(({ shard, stopped }) => (stopped === null ? [] : [kind === 'batches' ? stopped : `${shardName(shard)}: ${stopped}`]))).join('; ') || null,
    rate: runs.reduce<number | null>((most, { rate }) => (rate === null ? most : Math.max(most ?? 0, rate)), null),
    waivers: applyWaivers(findings, inventory.waivers ?? [], startedAt.slice(0, 10)).uses,
    warnings: distinct(runs.flatMap(({ warnings }) => warnings)),
  };
}

/** Each by the shard that looked from it; those that nobody looks from by the first that entered them. */
function hostsOf(runs: readonly Part['run'][], inventory: Inventory): Run['hosts'] {
  const names = [...new Set([...sourcesOf(inventory), ...runs.flatMap(({ hosts }) => hosts.map(({ name }) => name))])];
  return names.flatMap((name) => {
    const told = runs.flatMap(({ shard, hosts }) => hosts.filter((host) => host.name === name).map((host) => ({ host, isOwn: shard.sources.includes(name) })));
    return (told.find(({ isOwn }) => isOwn) ?? told.find(({ host }) => host.failure === null) ?? told[0])?.host ?? [];
  });
}

/** In a whole run's order: that of the source of each first example. */
function gapsOf(runs: readonly Run[], order: readonly string[]): readonly Gap[] {
  const found = new Map<string, Gap>();
  const sourceOf = ({ example }: Gap): number => order.findIndex((source) => example.startsWith(`${source} -> `));
  for (const gap of runs.flatMap(({ gaps }) => gaps).toSorted((a, b) => sourceOf(a) - sourceOf(b))) found.set(gap.reason, { ...gap, ...found.get(gap.reason), cells: (found.get(gap.reason)?.cells ?? 0) + gap.cells });
  return [...found.values()];
}

/** Unknown where one machine's is. */
function worstClock(runs: readonly Run[]): Clock | null {
  const clocks = runs.map(({ clock }) => clock);
  return clocks.includes(null) ? null : (clocks.flatMap((clock) => clock ?? []).toSorted((a, b) => Math.abs(b.offsetMs) - b.withinMs - Math.abs(a.offsetMs) + a.withinMs)[0] ?? null);
}

/** One machine has one clock: the answer that bounds it best is its. */
const closestClock = (runs: readonly Run[]): Clock | null => runs.flatMap(({ clock }) => clock ?? []).toSorted((a, b) => a.withinMs - b.withinMs)[0] ?? null;

/** Each as long as it took in all of them. */
function stepsOf(runs: readonly Run[]): readonly Step[] {
  const sums = new Map<string, number>();
  for (const { name, ms } of runs.flatMap(({ steps }) => steps)) sums.set(name, (sums.get(name) ?? 0) + ms);
  return [...sums].map(([name, ms]) => ({ name, ms }));
}

function lossOf(runs: readonly Run[]): Loss {
  const losses = runs.map(({ loss }) => loss);
  const sum = (key: 'roundTrips' | 'missed' | 'extraTries'): number => losses.reduce((total, loss) => total + loss[key], 0);
  const tries = losses.reduce<number | null>((most, loss) => (most === null || loss.tries === null ? null : Math.max(most, loss.tries)), 0);
  return { roundTrips: sum('roundTrips'), missed: sum('missed'), atMost: Math.max(...losses.map(({ atMost }) => atMost)), tries, extraTries: sum('extraTries') };
}
