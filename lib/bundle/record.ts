// Evidence -> the record that its reports were made from, so that they can be made again. Pure.
import { findingsOf } from '../findings.ts';
import type { RunRecord } from '../model.ts';
import { applyWaivers } from '../waivers.ts';
import type { Evidence } from './evidence.ts';

/** Of evidence that comes out as it stands when it is judged again; of other evidence this would be another record. */
export function recordOf({ account, phase, selection, observations, flows, file }: Evidence): RunRecord {
  const { schema, run, controls } = file as unknown as Pick<RunRecord, 'schema' | 'run' | 'controls'>;
  const { findings } = applyWaivers(findingsOf({ ...account, phase, observations }), account.inventory.waivers ?? [], run.startedAt.slice(0, 10));
  const hosts = run.hosts.map((host) => ({ ...host, configuration: (host as Partial<typeof host>).configuration ?? null })); // older evidence has none
  const asked = new Set(flows.map(({ id }) => id));
  return { schema, run: { ...run, hosts }, controls, findings: selection === null ? findings : findings.filter(({ flow }) => asked.has(flow.id)), account };
}
