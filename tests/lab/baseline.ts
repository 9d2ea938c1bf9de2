// What the intact lab gives, taken once per mocha process: what a fault changes is told by its difference from this, cell by
// cell. Cells are known by their ids, which come from the inventory alone and so outlive a machine that cannot be asked.
import { expect } from 'chai';
import { npmTest, type Cell, type Ran } from './harness.ts';

/** A verdict that is another one than the intact lab's; `none`: that run has no such cell. */
export type Change = Readonly<{ id: string; before: string; after: string; cell: Cell }>;

let taken: Promise<ReadonlyMap<string, Cell>> | undefined;
let intact: ReadonlyMap<string, Cell> | undefined;

/** To be called before any fault is made (`before(baseline)`): it runs `npm test` the first time. The intact lab is green. */
export async function baseline(): Promise<void> {
  taken ??= npmTest().then(({ cells }) => byId(cells));
  intact = await taken;
  expect([...intact.values()].filter(({ verdict }) => verdict !== 'pass').map(({ id, reason }) => `${id}: ${reason}`), 'the intact lab').to.deep.equal([]);
}

/** The intact lab's cells. */
export function intactCells(): readonly Cell[] {
  if (intact === undefined) throw new Error('no baseline was taken before the fault: before(baseline)');
  return [...intact.values()];
}

/** The cells whose verdict differs; grades are not compared, since what proves a block may change with the fault. */
export function changes({ cells }: Ran): readonly Change[] {
  const now = byId(cells);
  return [...new Map([...intactCells().map((cell) => [cell.id, cell] as const), ...now])].flatMap(([id, cell]) => {
    const before = intact?.get(id)?.verdict ?? 'none';
    const after = now.get(id)?.verdict ?? 'none';
    return before === after ? [] : [{ id, before, after, cell: intact?.get(id) ?? cell }];
  });
}

const grades = ['proven', 'inferred', 'no path'];

/** Green cells whose grade is better than in the intact lab: a fault may lower one, never raise it. */
export function gradesRaised({ cells }: Ran, fits: (cell: Cell) => boolean): readonly string[] {
  const better = ({ id, grade }: Cell): boolean => grade !== null && grades.indexOf(grade) < grades.indexOf(intact?.get(id)?.grade ?? '');
  return cells.filter((cell) => fits(cell) && better(cell)).map(({ id }) => id);
}

/** Everything is as in the intact lab. */
export function expectUnchanged(ran: Ran): void {
  expect(changes(ran).map(({ id, after }) => `${id}: ${after}`), ran.output).to.deep.equal([]);
  expect(ran.exitCode, 'exit code').to.equal(0);
  expectNoBlindGreen(ran);
}

/** Whether a fault reaches a cell, by the cell of the intact lab and that of this run (undefined: it has none such). */
export type Reach = (cell: Cell, now: Cell | undefined) => boolean;

/**
 * Every cell that the fault must reach is no longer as it was, and no other is, but for those that it may reach (a fault
 * in the middle of a run finds some looks over).
 */
export function expectChanged(ran: Ran, must: Reach, may: Reach = () => false): readonly Change[] {
  const changed = changes(ran);
  const now = byId(ran.cells);
  const all = [...new Map([...now, ...(intact ?? [])])];
  const reckoned = all.filter(([id, cell]) => must(cell, now.get(id))).map(([id]) => id);
  expect(reckoned.length, 'a fault that reaches nothing shows nothing').to.be.greaterThan(0);
  const ids = new Set(changed.map(({ id }) => id));
  const expected = new Set(reckoned);
  const missed = reckoned.filter((id) => !ids.has(id));
  const surplus = changed.filter(({ id, cell }) => !expected.has(id) && !may(cell, now.get(id))).map(({ id }) => `${id}: ${now.get(id)?.reason}`);
  expect({ missed, surplus }, `missed: as before though the fault reaches them; surplus: changed though it does not\n${ran.output}`).to.deep.equal({ missed: [], surplus: [] });
  return changed;
}

/**
 * Nothing is green that nobody looked at: something was sent, or the host's own tables or our login settle it. What silence
 * stands on is the source's own refusal of a raw packet, or two controls at least (before and after, or source and target).
 */
export function expectNoBlindGreen({ cells }: Ran): void {
  const green = cells.filter(({ verdict }) => verdict === 'pass');
  const unseen = green.filter(({ outcome, attempts, expected, port }) =>
    outcome.seen === 'unprobed' || (attempts === 0 && !['absent', 'no path', 'barred'].includes(outcome.seen) && !(expected === 'allowed' && port === 22)));
  const unbacked = green.filter(({ expected, outcome, controls }) => expected === 'denied' && ['silent', 'dead', 'unrouted'].includes(outcome.seen) && controls.length < (controls[0]?.endsWith('(near wall)') ? 1 : 2));
  expect([...unseen, ...unbacked].slice(0, 20).map(({ id, reason }) => `${id}: ${reason}`)).to.deep.equal([]);
}

/** A name that did not resolve stands for itself: its second address (`chat.signal.org#2`) is no cell then. */
function byId(cells: readonly Cell[]): ReadonlyMap<string, Cell> {
  const map = new Map(cells.map((cell) => [cell.id, cell]));
  expect(map.size, 'ids are unique').to.equal(cells.length);
  return map;
}
