// RunRecord -> what is at the bottom of it: findings that have one cause are told once. Pure; texts of others are raw in it.
import type { Finding, RunRecord } from '../model.ts';
import { nextOf, titleOf } from './advice.ts';
import { kindsOf } from './kinds.ts';
import { expectedOf, proofOf, seenOf, wayOf } from './words.ts';

/** One cause with all its cells, in the order of the plan; `seen`, `way` and `proof` are those of the first. */
export type Cause = Readonly<{
  result: 'fail' | 'inconclusive' | 'waived';
  title: string;
  /** Allowed or denied, by which rows. */
  expected: string;
  seen: string;
  /** Where it left, where it stopped or got through. */
  way: string;
  /** What a sceptic may look at. */
  proof: string;
  next: string;
  cells: readonly Finding[];
}>;

const rank = { fail: 0, inconclusive: 1, waived: 2 } as const;

/** Violations first, then what could not be told, then what is waived; each in the order of the plan. Each finding that is no pass is in exactly one. */
export function causesOf(record: RunRecord): readonly Cause[] {
  const kindOf = kindsOf(record);
  const groups = new Map<string, { kind: ReturnType<typeof kindOf>; cells: Finding[] }>();
  for (const finding of record.findings) {
    if (finding.verdict.result === 'pass') continue;
    const kind = kindOf(finding);
    const key = JSON.stringify([finding.verdict.result, kind]);
    const group = groups.get(key) ?? { kind, cells: [] };
    group.cells.push(finding);
    groups.set(key, group);
  }
  const causes = [...groups.values()].flatMap(({ kind, cells }): readonly Cause[] => {
    const [first] = cells;
    if (first === undefined || first.verdict.result === 'pass') return [];
    return [{
      result: kind.is === 'waived' ? 'waived' : first.verdict.result,
      title: titleOf(kind, cells), expected: [...new Set(cells.map((finding) => expectedOf(finding, record.run)))].join('; '),
      seen: seenOf(first), way: wayOf(first, record.run), proof: proofOf(first), next: nextOf(kind, cells, record), cells,
    }];
  });
  return causes.toSorted((a, b) => rank[a.result] - rank[b.result]);
}
