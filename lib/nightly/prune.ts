// Which folders of reports may go. Pure.

/** A run's own folder, named by its UTC time; nothing else is ever removed. */
const ofARun = /^\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2}-\d{3}Z$/;

/**
 * @param names everything that is in the reports folder
 * @param keep how many of the newest runs stay, at least
 * @param linked folders that a link leads to: they stay, however old
 */
export function toPrune(names: readonly string[], keep: number, linked: readonly (string | null)[]): readonly string[] {
  const runs = names.filter((name) => ofARun.test(name)).toSorted().toReversed();
  return runs.slice(keep).filter((name) => !linked.includes(name)).toReversed();
}
