// What became of the waivers, in words: what each excuses and what was seen there, and which of them excuse nothing. Pure.
import type { Finding, RunRecord, Waiver, WaiverUse } from '../model.ts';

/** Named of the violations that one waiver excuses; the rest is in the reports. */
const named = 5;

/** Who takes it on, and why. */
export function waivedBy({ acceptedBy, until, reason }: Waiver): string {
  return `waived until ${until}, accepted by ${acceptedBy}: ${reason}`;
}

/** A line for each waiver; below it, the violations that it excuses with what was seen. */
export function waiverLines({ run, findings }: RunRecord): readonly string[] {
  const byId = new Map(findings.map((finding) => [finding.flow.id, finding]));
  return run.waivers.flatMap((use) => {
    const shown = use.state === 'waives' ? use.violations.slice(0, named) : [];
    const more = use.state === 'waives' && use.violations.length > named ? [`    … and ${use.violations.length - named} more`] : [];
    return [`${headline(use)} (${waivedBy(use)})`, ...shown.map((id) => `    ${id}: ${seen(byId.get(id))}`), ...more];
  });
}

function headline({ state, cells, cellCount, violations }: WaiverUse): string {
  switch (state) {
    case 'waives':
      return `WAIVED: ${violations.length} of ${cellCount} cells of "${cells}"`;
    case 'stale':
      return `STALE WAIVER: "${cells}" has no violation any more, all its cells (${cellCount}) pass: take it out of the inventory`;
    case 'unsettled':
      return `WAIVER NOT NEEDED, OR NOT TOLD: none of the cells (${cellCount}) of "${cells}" fails, but some could not be looked at`;
    case 'expired':
      return `EXPIRED WAIVER: "${cells}": ${violations.length === 0 ? 'nothing there fails: take it out of the inventory' : `${violations.length} of ${cellCount} cells fail again`}`;
    case 'unknown':
      return `WAIVER OF NOTHING: this run has no cell "${cells}": mend its spelling (npm run plan lists all ids)`;
    default:
      return state satisfies never;
  }
}

function seen(finding: Finding | undefined): string {
  return finding === undefined ? 'no finding' : `${finding.flow.expected} (${finding.flow.row}), ${finding.verdict.reason}`;
}
