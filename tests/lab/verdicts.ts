// What a fault must do to the verdicts, and that it is mended when the scenario ends.
import { expect } from 'chai';
import { setPhase } from '../../lab/phase.ts';
import { untilReady } from '../../lab/ready.ts';
import { baseline, expectNoBlindGreen, intactCells } from './baseline.ts';
import type { Cell, Ran } from './harness.ts';
import { labState } from './state.ts';

/**
 * What must become of a cell of the intact lab; null: it stays green. `none`: there is no such cell any more · `red`: fail or
 * inconclusive, either is honest · `shown`: green by proof or by a witness alone, inconclusive otherwise.
 */
export type Reckoned = 'fail' | 'inconclusive' | 'none' | 'red' | 'shown' | null;

/** For a fault that must not change a verdict. */
export const nothing = (): Reckoned => null;

/** Holds every cell to what was reckoned from the lab's map. @returns the cells that are not green, as they are now */
export function expectVerdicts(ran: Ran, reckon: (cell: Cell) => Reckoned): readonly Cell[] {
  const now = new Map(ran.cells.map((cell) => [cell.id, cell]));
  const intact = intactCells();
  const known = new Set(intact.map(({ id }) => id));
  const wrong = intact.flatMap((cell) => {
    const want = reckon(cell);
    const found = now.get(cell.id);
    return fits(want, found) ? [] : [`${cell.id} must be ${want ?? 'pass'}, is ${found?.verdict ?? 'none'}: ${found?.reason ?? ''}`];
  });
  // What is not known may be more than what is: a destination whose address nobody tells has cells that its address would rule out.
  const added = ran.cells.filter((cell) => !known.has(cell.id) && (reckon(cell) === null || !fits(reckon(cell), cell))).map(({ id, verdict }) => `${id} is new, and ${verdict}`);
  const all = [...wrong, ...added];
  expect(all.slice(0, 40), `${all.length} cells are not as reckoned\n${ran.output}`).to.deep.equal([]);

  expectNoBlindGreen(ran);

  const red = ran.cells.filter(({ verdict }) => verdict !== 'pass');
  const tags = (tag: string): number => ran.junit.split(`<${tag} `).length - 1;
  expect({ cases: tags('testcase'), failures: tags('failure'), errors: tags('error') }, 'the JUnit file says the same').to.deep.equal({
    cases: ran.cells.length, failures: red.filter(({ verdict }) => verdict === 'fail').length, errors: red.filter(({ verdict }) => verdict === 'inconclusive').length,
  });
  expect(ran.exitCode !== 0, `exit code ${ran.exitCode}`).to.equal(red.length > 0);
  return red;
}

/** These flows, as `mesh 172.22.22.2 tcp/22`, from whatever source port: what opens or closes them does not ask for it. */
export const either = (flows: readonly string[], becomes: Reckoned) => (cell: Cell): Reckoned => (flows.includes(flowOf(cell)) ? becomes : null);
export const flowOf = ({ from, address, proto, port, by }: Cell): string => `${from} ${address} ${proto}/${port}${by === null ? '' : ` by ${by}`}`;

function fits(want: Reckoned, cell: Cell | undefined): boolean {
  if (cell === undefined) return want === 'none';
  switch (want) {
    case null:
      return cell.verdict === 'pass';
    case 'red':
      return cell.verdict === 'fail' || cell.verdict === 'inconclusive';
    case 'shown':
      return cell.verdict === 'inconclusive' || (cell.verdict === 'pass' && (cell.grade === 'proven' || cell.controls.some((id) => /^(witness|listener) /.test(id))));
    case 'fail':
    case 'inconclusive':
      return cell.verdict === want;
    case 'none':
      return false;
    default:
      return want satisfies never;
  }
}

/** Every reason of these cells fits; there is at least one. */
export function expectReasons(cells: readonly Cell[], words: RegExp): void {
  expect(cells.length, `cells with a reason like ${words}`).to.be.greaterThan(0);
  for (const { id, reason } of cells) expect(reason, id).to.match(words);
}

type Mend = () => Promise<unknown>;

/**
 * For the top of a `describe`: takes the baseline, and after each scenario undoes its faults, the last first.
 * @returns a function that notes how a fault is mended, then makes it
 */
export function faults(): (make: () => Promise<unknown>, mend?: Mend) => Promise<void> {
  const mends: Mend[] = [];
  let state: Awaited<ReturnType<typeof labState>>;
  before(async () => {
    await baseline();
    state = await labState();
  });
  afterEach(async () => {
    for (const mend of mends.splice(0).toReversed()) await mend();
    await setPhase('steady');
    await untilReady();
    const now = await labState();
    expect({ gone: state.filter((line) => !now.includes(line)), added: now.filter((line) => !state.includes(line)) }, 'the lab is as it was').to.deep.equal({ gone: [], added: [] });
  });
  return async (make, mend) => {
    if (mend !== undefined) mends.push(mend);
    await make();
  };
}
