// Evidence -> the record that its reports were made from, so that they can be made again. Pure.
import { findingsOf } from '../findings.ts';
import type { RunRecord } from '../model.ts';
import { applyWaivers } from '../waivers.ts';
import { isAskedOf, readParts, type Evidence } from './evidence.ts';
import { mergeRecords } from './merge.ts';

/** Of evidence that comes out as it stands when it is judged again; of other evidence this would be another record. */
export function recordOf(evidence: Evidence): RunRecord {
  const { account, phase, observations, file } = evidence;
  const { schema, run, controls } = file as unknown as Pick<RunRecord, 'schema' | 'run' | 'controls'>;
  const { findings } = applyWaivers(findingsOf({ ...account, phase, observations }), account.inventory.waivers ?? [], run.startedAt.slice(0, 10));
  const isAsked = isAskedOf(evidence);
  const hosts = run.hosts.map((host) => ({ ...host, configuration: (host as Partial<typeof host>).configuration ?? null })); // older evidence has none
  return { schema, run: { ...run, hosts }, controls, findings: findings.filter(({ flow }) => isAsked(flow)), account };
}

/** Of one run, or of a merged one. @throws MergeError where its shards are not one run */
export function wholeRecordOf({ isMerged, kind, parts }: ReturnType<typeof readParts>): RunRecord {
  const records = parts.map((part) => recordOf(part));
  const [first] = records;
  return first !== undefined && !isMerged ? first : mergeRecords(records, undefined, kind);
}
