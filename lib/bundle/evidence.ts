// evidence.json -> what a run saw, checked: it may be cut, altered, or made up. Pure.
import { z } from 'zod';
import type { CellState } from '../changes.ts';
import type { Account, Flow, Observation, Probe, RunRecord } from '../model.ts';

/** The file cannot be read back; the message names the place. */
export class EvidenceError extends Error {
  override readonly name = 'EvidenceError';
}

/** `flows`: the entries as they stand in the file. */
export type Evidence = Readonly<{ account: Account; phase: Account['plan']['phase']; inventoryHash: string; selection: string | null; shard: RunRecord['run']['shard']; observations: ReadonlyMap<string, Observation>; flows: readonly Readonly<Record<string, unknown>>[]; file: Readonly<Record<string, unknown>> }>;

const ms = z.number().nullable();
const nth = z.number().int();
const reply = z.discriminatedUnion('event', [
  z.strictObject({ event: z.literal('sent'), try: nth, sourcePort: z.number().int().nullable(), ms }),
  z.strictObject({ event: z.literal('connected'), try: nth, ms }),
  z.strictObject({ event: z.literal('data'), try: nth, hex: z.string().regex(/^([0-9a-f]{2})*$/i), ms, from: z.string().nullable() }),
  z.strictObject({ event: z.literal('closed'), try: nth }),
  z.strictObject({ event: z.literal('error'), try: nth, errno: z.string(), operation: z.string() }),
  z.strictObject({ event: z.literal('icmp'), try: nth, version: z.union([z.literal(4), z.literal(6)]), type: nth, code: nth, from: z.string() }),
  z.strictObject({ event: z.literal('unprobed'), errno: z.string(), operation: z.string() }),
]);
const outcome = z.looseObject({ seen: z.enum(['answered', 'garbled', 'refused', 'rejected', 'barred', 'unrouted', 'absent', 'dead', 'silent', 'no path', 'unprobed']) });
const observation = z.looseObject({ id: z.string(), vantage: z.string(), startedAt: z.string(), durationMs: z.number(), outcome, replies: z.array(reply), decisive: z.number().int().min(0).optional(), note: z.string().optional() });
const wall = z.looseObject({ observation: observation.nullable() });
const entry = z.looseObject({
  id: z.string(), from: z.string(), startedAt: z.string(), durationMs: z.number(), outcome, evidence: z.array(reply), note: z.string().nullable(), decisive: z.number().int().min(0).nullable(),
  walls: z.strictObject({ near: wall, far: wall }).nullable(),
});
const flow = z.looseObject({ id: z.string(), from: z.string(), to: z.string(), network: z.string(), address: z.string().nullable(), transport: z.string(), port: z.number(), protocol: z.string(), expected: z.enum(['allowed', 'denied']) });
const probe = z.looseObject({ id: z.string(), vantage: z.string(), flow: flow.nullable(), look: z.looseObject({ by: z.enum(['exchange', 'raw', 'frame', 'login', 'sessions', 'facts']) }), token: z.string() });
const control = z.strictObject({ id: z.string(), held: z.boolean(), detail: z.string() });
const shown = z.strictObject({ before: control, after: control });
const reading = z.strictObject({ atMs: z.number(), endMs: z.number().optional(), dropped: z.number().nullable().optional(), rows: z.array(z.string()) });
const pairs = <T extends z.ZodType>(value: T) => z.array(z.tuple([z.string(), value]));
const account = z.strictObject({
  inventory: z.looseObject({ matrix: z.looseObject({ hosts: z.record(z.string(), z.unknown()), networks: z.record(z.string(), z.unknown()) }), site: z.looseObject({ gateway: z.string() }) }),
  discovery: z.looseObject({ hosts: z.record(z.string(), z.looseObject({})), beacons: z.record(z.string(), z.string().nullable()), seenAs: z.array(z.string()) }),
  plan: z.looseObject({
    phase: z.enum(['setup', 'steady']),
    flows: z.array(z.looseObject({ flow, probe, nearWall: probe.nullable(), farWall: probe.nullable(), witnesses: z.array(z.string()), listener: z.string().nullable(), aliveBy: z.array(z.string()) })),
    controls: z.array(probe),
  }),
  tracked: pairs(z.strictObject({ ipv4: shown, ipv6: shown, first: reading, later: z.array(reading), keepsMs: z.number().nullable().optional() })),
  heard: pairs(z.strictObject({ before: control, after: control, arrivals: z.array(z.strictObject({ how: z.enum(['arrived', 'half']), source: z.string(), sourcePort: z.number(), hex: z.string() })) })),
  resets: pairs(z.strictObject({ id: z.string(), sent: z.boolean().nullable(), counted: z.boolean(), detail: z.string() })),
  sessions: pairs(z.string()),
});
const shard = z.strictObject({ number: z.number().int().min(1), of: z.number().int().min(1), sources: z.array(z.string()) });
const evidence = z.looseObject({ schema: z.literal(1), run: z.looseObject({ id: z.string(), inventoryHash: z.string(), selection: z.string().nullable(), shard: shard.nullable().optional() }), flows: z.array(entry), controls: z.array(observation), account });
const merged = z.looseObject({ schema: z.literal(1), run: z.looseObject({ shards: z.array(z.unknown()).nullable() }), flows: z.array(z.looseObject({ from: z.string() })), parts: z.array(z.looseObject({ run: z.looseObject({ shard }), takeover: z.unknown(), controls: z.unknown(), account: z.unknown() })) });

const cell = z.looseObject({
  id: z.string(), expected: z.enum(['allowed', 'denied']), verdict: z.enum(['pass', 'fail', 'inconclusive']), grade: z.string().nullable(), reason: z.string(), outcome: z.looseObject({ seen: z.string() }),
  waiver: z.looseObject({}).nullable().optional(),
});
const summary = z.looseObject({ schema: z.literal(1), run: z.looseObject({ phase: z.string().optional(), selection: z.string().nullable().optional(), fault: z.string().optional() }), flows: z.array(cell) });

/**
 * That of one run, or of each shard or batch of a merged one, as its own evidence.json had it or would have.
 * @throws EvidenceError: no JSON (cut in half), not of the shape, or a run that came to no record
 */
export function readParts(text: string, name: string): Readonly<{ isMerged: boolean; kind: 'shards' | 'batches'; parts: readonly Evidence[] }> {
  const json = parsed(text, name);
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'parts')) return { isMerged: false, kind: 'shards', parts: [evidenceOf(json, name)] };
  const { schema, run: { shards }, flows, parts } = shaped(merged, json, name);
  return {
    isMerged: true, kind: shards === null ? 'batches' : 'shards',
    parts: parts.map(({ run, takeover, controls, account: own }) =>
      evidenceOf({ schema, run, takeover, flows: flows.filter(({ from }) => run.shard.sources.includes(from)), controls, account: own }, `${name}, ${shards === null ? 'batch' : 'shard'} ${run.shard.number}/${run.shard.of}`)),
  };
}

/** Of one run. @throws EvidenceError */
export const readEvidence = (text: string, name: string): Evidence => evidenceOf(parsed(text, name), name);

function evidenceOf(json: unknown, name: string): Evidence {
  // As it stands, not as zod made it anew: its order is kept, and so are the bytes of a report that is rendered again.
  const data = shaped(evidence, json, name);
  const { plan, tracked, heard, resets, sessions, ...rest } = data.account;
  const flows = plan.flows.map((planned) => {
    const whole = (one: typeof planned.nearWall): unknown => (one === null ? null : { ...one, flow: one.flow ?? planned.flow });
    return { ...planned, probe: whole(planned.probe), nearWall: whole(planned.nearWall), farWall: whole(planned.farWall) };
  });
  return {
    account: { ...rest, plan: { ...plan, flows }, tracked: new Map(tracked), heard: new Map(heard), resets: new Map(resets), sessions: new Map(sessions) } as unknown as Account,
    phase: plan.phase, inventoryHash: data.run.inventoryHash, selection: data.run.selection, shard: data.run.shard ?? null, flows: data.flows, file: data, observations: observationsOf(data.flows as unknown as readonly Entry[], data.controls as unknown as readonly Observation[]),
  };
}

/** What the run made of each cell, and nothing of what it was made from: of a verdicts.json, or of any evidence.json of schema 1. */
export function readCells(text: string, name: string): Readonly<{ phase: string; selection: string | null; cells: readonly CellState[] }> {
  const { run, flows } = shaped(summary, parsed(text, name), name);
  if (run.fault !== undefined) throw new EvidenceError(`${name}: that run came to no record: ${run.fault}`);
  const cells = flows.map(({ id, expected, verdict, grade, reason, outcome: { seen }, waiver }) => ({ id, expected, verdict, grade, seen, reason, waived: waiver !== null && waiver !== undefined }));
  return { phase: run.phase ?? 'unknown', selection: run.selection ?? null, cells };
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new EvidenceError(`${name}: not JSON, cut or altered (${(error as Error).message}); take it from a backup, nothing was changed`);
  }
}

function shaped<T>(shape: z.ZodType<T>, json: unknown, name: string): T {
  const read = shape.safeParse(json);
  if (read.success) return json as T;
  const [first] = read.error.issues;
  throw new EvidenceError(`${name}: $.${first?.path.join('.') ?? ''}: ${first?.message ?? 'not evidence'}; it cannot be read, nothing was changed`);
}

/** Which of the plan's flows the run was about: of a shard, those from its sources; of another part, those that stand in the file. */
export function isAskedOf({ selection, shard: own, flows }: Evidence): (flow: Flow) => boolean {
  if (own !== null) return ({ from }) => own.sources.includes(from);
  const ids = new Set(flows.map(({ id }) => id));
  return selection === null ? () => true : ({ id }) => ids.has(id);
}

type Wall = Readonly<{ observation: Observation | null }>;
type Entry = Readonly<{ id: string; from: string; startedAt: string; durationMs: number; outcome: Observation['outcome']; evidence: Observation['replies']; note: string | null; decisive: number | null; walls: Readonly<{ near: Wall; far: Wall }> | null }>;

/** The file has each look once: at its cell, at its wall, or among the controls. */
function observationsOf(flows: readonly Entry[], controls: readonly Observation[]): ReadonlyMap<string, Observation> {
  const ofFlows = flows.flatMap(({ id, from, startedAt, durationMs, outcome: seen, evidence: replies, note, decisive, walls }): readonly Observation[] => [
    { id, vantage: from, startedAt, durationMs, outcome: seen, replies, ...(note === null ? {} : { note }), ...(decisive === null ? {} : { decisive }) },
    ...[walls?.near.observation, walls?.far.observation].flatMap((one) => one ?? []),
  ]);
  return new Map([...ofFlows, ...controls].map((one) => [one.id, one]));
}

export const probesOf = ({ flows, controls }: Account['plan']): readonly Probe[] => [...flows.flatMap(({ probe: one, nearWall, farWall }) => [one, nearWall, farWall].filter((each) => each !== null)), ...controls];
