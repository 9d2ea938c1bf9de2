// RunRecord -> evidence.json, schema 1 of DESIGN.md, a line an entry. Pure.
import type { Account, Finding, Probe, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';

/** One object a flow, with the raw replies as the prober sent them. Of a merged run: what each shard has beside its flows, in `parts`. */
export const renderJson = (record: RunRecord): string => [...jsonPieces(record)].join('');

/** The same in pieces, to be written one after the other: whole, that of a hundred hosts is as long as a string can be (V8: 512 MB). */
export function* jsonPieces(record: RunRecord): Generator<string> {
  const { schema, findings, parts } = record;
  yield `{"schema":${schema},\n${headOf(record)},\n`;
  yield* list('flows', findings, flowEntry);
  yield ',\n';
  yield* behindPieces(record);
  for (const [index, part] of (parts ?? []).entries()) {
    yield `${index === 0 ? ',\n"parts":[' : ','}\n{${headOf(part)},\n`;
    yield* behindPieces(part);
    yield '}';
  }
  yield parts === undefined ? '}\n' : ']}\n';
}

const headOf = (record: RunRecord): string => `"run":${JSON.stringify(record.run)},\n"takeover":${JSON.stringify(takeoverLines(record))}`;

function* behindPieces({ controls, account }: RunRecord): Generator<string> {
  yield* list('controls', controls, (one) => one);
  yield ',\n"account":';
  yield* account === undefined ? ['null'] : accountPieces(account);
}

function* list<T>(name: string, items: Iterable<T>, entry: (item: T) => unknown): Generator<string> {
  let before = `"${name}":[`;
  for (const item of items) {
    yield `${before}\n${JSON.stringify(entry(item))}`;
    before = ',';
  }
  yield before === ',' ? ']' : `${before}]`;
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
