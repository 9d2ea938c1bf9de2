// RunRecord -> evidence.json, schema 1 of DESIGN.md. Pure.
import type { Finding, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';

/** One object a flow, with the raw replies as the prober sent them. */
export function renderJson(record: RunRecord): string {
  const { schema, run, controls, findings } = record;
  return `${JSON.stringify({ schema, run, takeover: takeoverLines(record), flows: findings.map(flowEntry), controls }, null, 1)}\n`;
}

function flowEntry({ flow, observation, backing, walls, verdict, waiver }: Finding): Readonly<Record<string, unknown>> {
  const { outcome } = observation;
  return {
    id: flow.id, from: flow.from, to: flow.to, address: flow.address, network: flow.network, proto: flow.transport, port: flow.port,
    family: flow.family, protocol: flow.protocol, expected: flow.expected, row: flow.row, route: flow.route, sourcePort: flow.sourcePort ?? null, by: flow.by ?? null, ended: flow.ended ?? null,
    verdict: verdict.result, reason: verdict.reason, grade: verdict.result === 'pass' ? verdict.grade : null, controls: verdict.controls,
    outcome, attempts: observation.replies.filter(({ event }) => event === 'sent').length, rttMs: outcome.seen === 'answered' ? outcome.rttMs : null,
    startedAt: observation.startedAt, durationMs: observation.durationMs,
    evidence: observation.replies, note: observation.note ?? null, backing, walls, waiver,
  };
}
