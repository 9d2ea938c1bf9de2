// Findings put together by a key. Pure.
import type { Finding } from '../model.ts';

/** Findings under each key, keys in the order of their first. */
export function grouped(findings: readonly Finding[], keyOf: (finding: Finding) => string): ReadonlyMap<string, readonly Finding[]> {
  const groups = new Map<string, Finding[]>();
  for (const finding of findings) {
    const key = keyOf(finding);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [finding]);
    else group.push(finding);
  }
  return groups;
}
