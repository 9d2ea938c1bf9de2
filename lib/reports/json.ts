// RunRecord -> evidence.json, schema 1 of DESIGN.md. Pure.
import type { Account, Finding, Probe, RunRecord } from '../model.ts';
import { takeoverLines } from './takeover.ts';

/** One object a flow, with the raw replies as the prober sent them. Of a merged run: what each shard has beside its flows, in `parts`. */
export function renderJson(record: RunRecord): string {
  const { schema, findings, parts } = record;
  const { run, takeover, ...behind } = besideFlows(record);
  return jsonText({ schema, run, takeover, flows: findings.map(flowEntry), ...behind, ...(parts === undefined ? {} : { parts: parts.map(besideFlows) }) });
}

/** How evidence.json is laid out. */
export const jsonText = (evidence: Readonly<Record<string, unknown>>): string => `${JSON.stringify(evidence, null, 1)}\n`;

function besideFlows(record: RunRecord): Readonly<{ run: unknown; takeover: unknown; controls: unknown; account: unknown }> {
  const { run, controls, account } = record;
  return { run, takeover: takeoverLines(record), controls, account: account === undefined ? null : accountEntry(account) };
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
