// RunRecord -> evidence.json, schema 1 of DESIGN.md. Pure.
import type { Account, Finding, Probe, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';

/** One object a flow, with the raw replies as the prober sent them. */
export function renderJson(record: RunRecord): string {
  const { schema, run, controls, findings, account } = record;
  return `${JSON.stringify({ schema, run, takeover: takeoverLines(record), flows: findings.map(flowEntry), controls, account: account === undefined ? null : accountEntry(account) }, null, 1)}\n`;
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
function accountEntry({ plan, tracked, heard, resets, sessions, ...rest }: Account): Readonly<Record<string, unknown>> {
  const flows = plan.flows.map(({ probe, nearWall, farWall, ...planned }) => {
    const lean = (one: Probe | null): unknown => (one === null || one.flow !== planned.flow ? one : { ...one, flow: null });
    return { ...planned, probe: lean(probe), nearWall: lean(nearWall), farWall: lean(farWall) };
  });
  return { ...rest, plan: { ...plan, flows }, tracked: [...tracked], heard: [...heard], resets: [...resets], sessions: [...sessions] };
}
