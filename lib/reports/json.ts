// RunRecord -> evidence.json, schema 1 of DESIGN.md. Pure.
import type { Finding, RunRecord } from '../model.ts';

/** One object a flow, with the raw replies as the prober sent them. */
export function renderJson({ schema, run, controls, findings }: RunRecord): string {
  return `${JSON.stringify({ schema, run, flows: findings.map(flowEntry), controls }, null, 1)}\n`;
}

function flowEntry({ flow, observation, backing, verdict }: Finding): Readonly<Record<string, unknown>> {
  const { outcome } = observation;
  return {
    id: flow.id, from: flow.from, to: flow.to, address: flow.address, network: flow.network, proto: flow.transport, port: flow.port,
    family: flow.family, protocol: flow.protocol, expected: flow.expected, row: flow.row, route: flow.route,
    verdict: verdict.result, reason: verdict.reason, grade: verdict.result === 'pass' ? verdict.grade : null, controls: verdict.controls,
    outcome, attempts: observation.replies.filter(({ event }) => event === 'sent').length, rttMs: outcome.seen === 'answered' ? outcome.rttMs : null,
    startedAt: observation.startedAt, durationMs: observation.durationMs,
    evidence: observation.replies, note: observation.note ?? null, backing,
  };
}
