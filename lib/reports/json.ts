// RunRecord -> evidence.json, schema 1 of DESIGN.md, a line an entry. Pure.
import type { Account, Finding, Flow, Grade, Observation, Probe, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';

/** One object a flow, with the raw replies as the prober sent them. Of a merged run: what each shard has beside its flows, in `parts`. */
export const renderJson = (record: RunRecord): string => [...jsonPieces(record)].join('');

/** The same in pieces, to be written one after the other: whole, that of a hundred hosts is as long as a string can be (V8: 512 MB). */
export function* jsonPieces(record: RunRecord): Generator<string> {
  const { schema, findings, parts, spooled } = record;
  yield `{"schema":${schema},\n${headOf(record)},\n`;
  yield* spooled === undefined ? list('flows', findings, flowEntry) : listed('flows', spooled.lines());
  yield ',\n';
  yield* behindPieces(record);
  const pieces = spooled === undefined ? parts?.map(partPieces) : spooled.parts();
  if (pieces !== undefined) yield* partsPieces(pieces);
  yield '}\n';
}

function* partsPieces(parts: Iterable<Iterable<string>>): Generator<string> {
  let before = ',\n"parts":[';
  for (const part of parts) {
    yield `${before}\n`;
    yield* part;
    before = ',';
  }
  yield ']';
}

/** What stands in a merged run's `parts` for one of them. */
export function* partPieces(part: RunRecord): Generator<string> {
  yield `{${headOf(part)},\n`;
  yield* behindPieces(part);
  yield '}';
}

export const headOf = (record: RunRecord): string => `"run":${JSON.stringify(record.run)},\n"takeover":${JSON.stringify(takeoverLines(record))}`;

function* behindPieces({ controls, account }: RunRecord): Generator<string> {
  yield* list('controls', controls, (one) => one);
  yield ',\n"account":';
  yield* account === undefined ? ['null'] : accountPieces(account);
}

function* listed(name: string, lines: Iterable<string>): Generator<string> {
  let before = `"${name}":[`;
  for (const line of lines) {
    yield `${before}\n${line}`;
    before = ',';
  }
  yield before === ',' ? ']' : `${before}]`;
}

function list<T>(name: string, items: Iterable<T>, entry: (item: T) => unknown): Generator<string> {
  return listed(name, entries(items, entry));
}

function* entries<T>(items: Iterable<T>, entry: (item: T) => unknown): Generator<string> {
  for (const item of items) yield JSON.stringify(entry(item));
}

export function flowEntry({ flow, observation, backing, walls, verdict, waiver }: Finding): Readonly<Record<string, unknown>> {
  const { outcome } = observation;
  return {
    id: flow.id, from: flow.from, to: flow.to, address: flow.address, network: flow.network, proto: flow.transport, port: flow.port,
    family: flow.family, protocol: flow.protocol, expected: flow.expected, row: flow.row, route: flow.route, sourcePort: flow.sourcePort ?? null, by: flow.by ?? null, ended: flow.ended ?? null,
    verdict: verdict.result, reason: verdict.reason, grade: verdict.result === 'pass' ? verdict.grade : null, controls: verdict.controls,
    outcome, attempts: observation.replies.filter(({ event }) => event === 'sent').length, rttMs: outcome.seen === 'answered' ? outcome.rttMs : null,
    startedAt: observation.startedAt, durationMs: observation.durationMs,
    evidence: observation.replies, decisive: observation.decisive ?? null, note: observation.note ?? null, backing, walls, waiver,
  };
}

/** What `flowEntry` made the entry from, as it is read back from the disk. */
export function findingOf(line: string): Finding {
  const entry = JSON.parse(line) as Entry;
  const { id, from, family, to, network, address, proto, port, protocol, expected, row, route, sourcePort, by, ended, verdict, reason, grade, controls, outcome, startedAt, durationMs, evidence, decisive, note, backing, walls, waiver } = entry;
  return {
    flow: { id, family, from, to, network, address, transport: proto, port, protocol, expected, row, route, ...(sourcePort === null ? {} : { sourcePort }), ...(ended === null ? {} : { ended }), ...(by === null ? {} : { by }) },
    observation: { id, vantage: from, startedAt, durationMs, outcome, replies: evidence, ...(note === null ? {} : { note }), ...(decisive === null ? {} : { decisive }) },
    backing, walls, waiver,
    verdict: verdict === 'pass' ? { result: verdict, reason, grade: grade ?? 'proven', controls } : { result: verdict, reason, controls },
  };
}

type Nullable<T> = Readonly<{ [Key in keyof T]-?: Exclude<T[Key], undefined> | null }>;
type Entry = Omit<Flow, 'transport' | 'sourcePort' | 'by' | 'ended'> & Nullable<Pick<Flow, 'sourcePort' | 'by' | 'ended'>> & Pick<Finding, 'backing' | 'walls' | 'waiver'> &
  Pick<Observation, 'outcome' | 'startedAt' | 'durationMs'> & Nullable<Pick<Observation, 'decisive' | 'note'>> &
  Readonly<{ proto: Flow['transport']; evidence: Observation['replies']; verdict: Finding['verdict']['result']; reason: string; grade: Grade | null; controls: readonly string[] }>;

/** Maps as lists of pairs; a probe's flow is written only where it is not the cell itself. */
function* accountPieces({ inventory, discovery, plan, tracked, heard, resets, sessions }: Account): Generator<string> {
  const lean = (one: Probe | null, { flow }: Account['plan']['flows'][number]): unknown => (one === null || one.flow !== flow ? one : { ...one, flow: null });
  const { phase, flows, listeners, controls, universe, gaps, elsewhere } = plan;
  yield `{"inventory":${JSON.stringify(inventory)},\n"discovery":${JSON.stringify(discovery)},\n"plan":{"phase":${JSON.stringify(phase)},\n`;
  yield* list('flows', flows, (one) => ({ ...one, probe: lean(one.probe, one), nearWall: lean(one.nearWall, one), farWall: lean(one.farWall, one) }));
  yield ',\n';
  yield* list('listeners', listeners, (one) => one);
  yield ',\n';
  yield* list('controls', controls, (one) => one);
  yield `,\n"universe":${universe},"gaps":${JSON.stringify(gaps)}${elsewhere === undefined ? '' : `,\n"elsewhere":${JSON.stringify(elsewhere)}`}}`;
  for (const [name, pairs] of Object.entries({ tracked, heard, resets, sessions })) {
    yield ',\n';
    yield* list<readonly [string, unknown]>(name, pairs, (pair) => pair);
  }
  yield '}';
}
