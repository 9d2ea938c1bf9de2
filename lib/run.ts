// The conductor: enters the hosts, plans, looks at everything at once, judges. The only file that joins the rest; a probe
// never makes it throw.
import { randomUUID } from 'node:crypto';
import { batchSizes, inBatches, type Batch, type BatchSizes, type Part } from './batch.ts';
import { clockOf } from './clock.ts';
import { configurationWarnings } from './configuration.ts';
import { interfaceOf, isFailure, operator } from './facts.ts';
import { enterAll, type Entered } from './enter.ts';
import { findingsOf } from './findings.ts';
import { readHosts } from './hosts.ts';
import { configWarnings } from './login.ts';
import { look } from './look.ts';
import type { Discovery, Failure, Inventory, Phase, Plan, Probe, RunRecord } from './model.ts';
import { observe } from './observe.ts';
import { paced } from './paced.ts';
import { makePlan, planWithin } from './plan.ts';
import { resolveNames } from './resolve.ts';
import { endRows } from './rows.ts';
import { NothingSelected, select, type Selection } from './select.ts';
import { lockOf, ownSources, shardSelection, turnOf, type OneOf } from './shard.ts';
import { makeSteps, type Steps } from './steps.ts';
import { newToken } from './token.ts';
import type { Vantage } from './vantage.ts';
import { applyWaivers } from './waivers.ts';

export type Run = Readonly<{
  /** The planned flows that are selected: those that end in a finding. None where they are planned in batches. */
  flows: Plan['flows'];
  batches: readonly Batch[];
  /** Whether these are all that there are. */
  whole: boolean;
  /** With a finding for each planned flow, also when the run is interrupted. Rejects by a fault of our own and where batches cannot be written down; nothing is left on the hosts then either. */
  record: Promise<RunRecord>;
  /** Ends the run before its time: what is not looked at yet stays so and says why. */
  interrupt: (cause: string) => void;
}>;

/** Told of the plan, or of each batch of it, before the first look, and of each look that is over. */
export type Progress = Readonly<{ planned: (flows: Plan['flows']) => void; looked: (probe: Probe) => void }>;
export type RunOptions = Readonly<{ inventory: Inventory; phase: Phase; inventoryHash: string; version: string; matrixHash: string | null; warnings: readonly string[]; operator: string; selection: Selection | null; oneOf: OneOf | null; progress: Progress | null; reports: string; sizes?: BatchSizes }>;

/**
 * Enters the hosts and plans; the probes are under way when it resolves.
 * @param oneOf where it is a shard of a run on several machines; one that has no source enters nothing, and its record has no finding
 * @param reports the folder that the reports will be in: batches are written down there
 */
export async function startRun(options: RunOptions): Promise<Run> {
  const steps = makeSteps();
  const startedAt = new Date().toISOString();
  steps.end('start');
  const inventory = endRows(options.inventory, startedAt.slice(0, 10));
  const { oneOf } = options;
  const runId = oneOf?.run ?? randomUUID();
  const shard = oneOf === null ? null : { ...oneOf.shard, sources: ownSources(inventory, oneOf.shard) };
  const entered = shard?.sources.length === 0 ? [] : await enterAll(inventory, lockOf(runId, shard));
  steps.end('enter the hosts');
  try {
    return await begin(entered, { inventory, startedAt, runId, shard, steps }, options);
  } catch (error) {
    leave(entered);
    throw error;
  }
}

type Begun = Readonly<{ inventory: Inventory; startedAt: string; runId: string; shard: RunRecord['run']['shard']; steps: Steps }>;

async function begin(entered: readonly Entered[], { inventory, startedAt, runId, shard, steps }: Begun, { phase, inventoryHash, matrixHash, version, warnings, operator: seatOf, oneOf, progress, reports, sizes = batchSizes, ...given }: RunOptions): Promise<Run> {
  const today = startedAt.slice(0, 10);
  const selection = shard === null ? given.selection : shardSelection(inventory, shard);
  const vantages = new Map(entered.flatMap(({ host, vantage, facts }) => (vantage === null ? [] : [[host, paced(vantage, facts, inventory.site.timing.rate)] as const])));
  const discovery = await discover({ inventory, phase, newToken }, entered, vantages);
  const { hosts: _facts, ...discovered } = discovery;
  const configured = readHosts(entered);
  const input = { inventory, discovery, phase, newToken, sources: shard?.sources };
  const planned = selection === null ? planWithin(input, sizes.most) : { plan: makePlan(input) };
  steps.end('discover and plan');

  let stopped: string | null = entered.map(({ facts }) => facts).find((facts): facts is Failure => isFailure(facts) && facts.operation === 'known-hosts')?.cause ?? null;
  const interrupt = (cause: string): void => {
    stopped ??= cause;
    leave(entered);
  };
  const conduct = async ({ plan, flows, ...about }: Part, looked?: () => void): Promise<RunRecord> => {
    const seat = { entered, vantages, stopped: () => stopped, onLooked: progress?.looked };
    const turn = oneOf === null ? null : { turn: turnOf(runId) };
    const { loss, windows, ...seen } = await observe({ inventory, discovery, phase, plan, sessions: sessionsOf(entered) }, { vantages, newToken, turn, look: (probe) => look(probe, seat), steps });
    const hosts = await configured;
    looked?.();
    steps.end('read the witnesses');
    const judged = applyWaivers(findingsOf(seen), inventory.waivers ?? [], today);
    steps.end('judge');
    const { findings } = judged;
    const chosen = new Set(flows.map(({ flow }) => flow.id));
    // Of a part of the matrix: what its cells do not match may well match others.
    const uses = judged.uses.filter(({ state }) => about.selection === null || state === 'waives' || state === 'expired');
    const { observations, phase: _phase, ...account } = seen;
    return {
      schema: 1,
      run: {
        id: runId, phase, startedAt, endedAt: new Date().toISOString(), inventoryHash, matrixHash, operator: seatOf, ...about, shards: null, clock: clockOf(findings), version, node: process.version,
        hosts, confined: Object.keys(inventory.matrix.hosts).filter((host) => inventory.matrix.hosts[host]?.confined === true),
        universe: plan.universe, gaps: plan.gaps, loss, windows, steps: steps.taken(), stopped, discovered, rate: inventory.site.timing.rate ?? null, waivers: uses, warnings: [...warnings, ...configWarnings(), ...configurationWarnings(hosts, today)],
      },
      controls: [...plan.controls.map(({ id }) => id), ...plan.flows.map(({ flow }) => flow.id).filter((id) => !chosen.has(id))].flatMap((id) => observations.get(id) ?? []),
      findings: findings.filter(({ flow }) => chosen.has(flow.id)),
      account,
    };
  };
  const [whole, over] = [given.selection === null, (): void => leave(entered)];
  if (planned.plan === null) {
    const { batches, record } = inBatches(input, { cells: planned.cells, each: sizes.each, reports, planned: (flows) => progress?.planned(flows), conduct, over, steps });
    return { flows: [], batches, whole, interrupt, record };
  }
  const { plan, flows } = select(planned.plan, selection);
  if (flows.length === 0 && shard?.sources.length !== 0) throw new NothingSelected(selection?.name ?? 'the inventory');
  progress?.planned(flows);
  return { flows, batches: [], whole, interrupt, record: conduct({ plan, flows, selection: selection?.name ?? null, shard }, over).finally(over) };
}

/** What the plan is made from. Asks the names of external targets, and sends nothing else. */
export async function discover(asking: Parameters<typeof resolveNames>[0], entered: readonly Entered[], vantages: ReadonlyMap<string, Vantage>): Promise<Discovery> {
  const hosts = Object.fromEntries(entered.map(({ host, facts }) => [host, facts]));
  const names = (fits: (one: Entered) => boolean): readonly string[] => entered.filter(fits).map(({ host }) => host);
  const beacons = entered.filter(({ beacon }) => beacon !== null);
  return {
    hosts,
    witnesses: names(({ witness }) => witness),
    listeners: names(({ vantage, beacon }) => vantage?.kind === 'python' && vantage.root && beacon === null),
    privileged: names(({ vantage, beacon }) => vantage?.root === true && beacon === null),
    raw: names(({ host, vantage, beacon }) => vantage?.kind === 'python' && vantage.root && beacon === null && host !== operator),
    beacons: Object.fromEntries(beacons.map(({ host, login }) => [host, login?.address ?? null])),
    // An address that the operator holds itself is no translation of anybody's.
    seenAs: beacons.flatMap(({ beacon }) => beacon?.seenAs ?? []).filter((address) => !Object.values(hosts).some((facts) => !isFailure(facts) && interfaceOf(facts, address) !== null)),
    names: await resolveNames(asking, hosts, vantages),
  };
}

/** By host: the address that our login stands on. */
export function sessionsOf(entered: readonly Entered[]): ReadonlyMap<string, string> {
  return new Map(entered.flatMap(({ host, login }) => (login?.outcome.seen === 'answered' && login.address !== null ? [[host, login.address] as const] : [])));
}

/** Ends their probers and sessions. */
export function leave(entered: readonly Entered[]): void {
  for (const { vantage, session } of entered) {
    vantage?.close();
    session?.end();
  }
}
