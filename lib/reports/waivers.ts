// What became of the waivers that excuse nothing, in words. Pure.
import type { RunRecord, Waiver, WaiverUse } from '../model.ts';

/** Who takes it on, and why. */
function waivedBy({ acceptedBy, until, reason }: Waiver): string {
  return `waived until ${until}, accepted by ${acceptedBy}: ${reason}`;
}

/** A line for each waiver that does not waive; what the others excuse stands among the causes. */
export function waiverLines({ run }: RunRecord): readonly string[] {
  return run.waivers.flatMap((use) => (use.state === 'waives' ? [] : [`${headline(use)} (${waivedBy(use)})`]));
}

function headline({ state, cells, cellCount, violations }: WaiverUse): string {
  switch (state) {
    case 'waives':
      return `waives ${violations.length} of ${cellCount} cells of "${cells}"`;
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
