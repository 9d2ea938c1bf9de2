// One mutant: made, reckoned, run, compared, mended.
import { innerNames, type InnerName, nebula, publicAddresses, vmbr1, wan } from '../../lab/topology.ts';
import { type Cell, npmTest } from '../lab/harness.ts';
import { compare, expectations, type Fates, packetOf, passedOnOf } from './expected.ts';
import type { Mutant } from './mutants.ts';
import { type Fate, type Packet, awakeMachines, reckon } from './reckoning.ts';

export type Result = Readonly<{
  id: string;
  host: string;
  phase: string;
  change: readonly string[];
  /** masked: end to end the other wall holds · equivalent: no packet is treated otherwise, neither of a cell nor at the edge of the change */
  result: 'killed' | 'survived' | 'masked' | 'equivalent';
  /** Masked, and the walls of the report say it: that counts as killed by walls. */
  byWalls: boolean;
  reason: string;
  expectedRed: readonly string[];
  seenRed: readonly string[];
  missed: readonly string[];
  surplus: readonly string[];
}>;

/** What the intact lab does, by the suite and by the reckoning: what a mutant changes is told by its difference from it. */
export type Intact = Readonly<{ cells: readonly Cell[]; fates: Fates }>;

const confined = ['joi'];

/** A mutant that could not be tried counts against the suite. */
export function undecided({ id, host, phase }: Mutant, cause: string): Result {
  return { id, host, phase, change: [], result: 'survived', byWalls: false, reason: `could not be tried: ${cause}`, expectedRed: [], seenRed: [], missed: [], surplus: [] };
}

export async function intactIn(phase: string): Promise<Intact> {
  const { cells, output } = await npmTest({ FLOWPROOF_PHASE: phase });
  const fates = await fatesOf(cells);
  const { expectedRed, seenRed } = compare(expectations(cells, fates, confined), cells);
  if (expectedRed.length + seenRed.length > 0 || cells.length === 0) throw new Error(`the intact lab is not green in phase ${phase}:\n${[...expectedRed, ...seenRed].slice(0, 20).join('\n')}\n${output}`);
  return { cells, fates };
}

async function fatesOf(cells: readonly Cell[]): Promise<Fates> {
  const packets = cells.flatMap((cell) => [packetOf(cell), passedOnOf(cell)].filter((packet) => packet !== null));
  const awake = await awakeMachines(); // before the reckoning's own sets wake them all
  const user = await reckon(packets, 'as a user');
  // joi's come out of the gateway with the gateway's address; the gateway's own, with the same ports, must not be taken for them.
  const frames = packets.filter(({ by }) => by === null);
  const [ours, others] = [frames.filter(({ from }) => from === 'joi'), frames.filter(({ from }) => from !== 'joi')];
  return { user, awake, frame: new Map([...(await reckon(ours, 'as a frame')), ...(await reckon(others, 'as a frame'))]) };
}

export async function judged(mutant: Mutant, { cells, fates: before }: Intact): Promise<Result> {
  let change: readonly string[] = [];
  const result = (over: Pick<Result, 'result' | 'reason'> & Partial<Result>): Result => ({
    id: mutant.id, host: mutant.host, phase: mutant.phase, change, byWalls: false, expectedRed: [], seenRed: [], missed: [], surplus: [], ...over,
  });
  let isMade = true;
  const mend = async (): Promise<void> => {
    if (isMade) await mutant.mend();
    isMade = false;
  };
  try {
    await mutant.widest?.();
    const widest = mutant.widest === null ? null : await fatesOf(cells);
    if (widest !== null) await mutant.mend();
    change = await mutant.make();
    const fates = widest ?? (await fatesOf(cells));
    const must = expectations(cells, fates, confined);
    const isOpen = [...must.values()].some((one) => one !== 'pass' && one !== 'any');
    const walls = wallsOpened(cells, before, fates);
    if (isOpen || walls.length > 0 || mutant.chain === null) {
      const { cells: seen, exitCode } = await npmTest({ FLOWPROOF_PHASE: mutant.phase });
      return verdictOf(mutant, { ...compare(must, seen), seen, exitCode, walls, isOpen }, result);
    }
    const changed = await reckonEdges(mutant, change);
    await mend();
    const intact = await reckonEdges(mutant, change);
    const differs = [...changed].filter(([id, fate]) => JSON.stringify(fate) !== JSON.stringify(intact.get(id))).map(([id]) => id);
    if (differs.length === 0) return result({ result: 'equivalent', reason: `none of ${cells.length} cells and ${changed.size} packets at its edges is treated otherwise` });
    const outside = differs.filter((id) => !/ (forged|stranger|to itself) /.test(id));
    if (outside.length > 0 && outside.every(isNebulas)) return result({ result: 'masked', reason: "stricter than the matrix, and green: the overlay answers through what the other side's packets have opened" });
    if (outside.length === 0) return result({ result: 'masked', reason: `the matrix says nothing of the packets that differ: ${differs.slice(0, 5).join(', ')}` });
    return result({ result: 'survived', reason: `no cell asks: ${outside.slice(0, 10).join(', ')}` });
  } finally {
    await mend();
  }
}

type Seen = ReturnType<typeof compare> & Readonly<{ seen: readonly Cell[]; exitCode: number; walls: readonly Opened[]; isOpen: boolean }>;

function verdictOf({ widest }: Mutant, { seen, exitCode, walls, isOpen, ...compared }: Seen, result: (over: Pick<Result, 'result' | 'reason'> & Partial<Result>) => Result): Result {
  const own = compared.expectedRed.filter((line) => !compared.missed.some((missed) => line.endsWith(missed.slice(missed.indexOf(':')))));
  const missed = widest !== null && own.length > 0 ? [] : compared.missed;
  const isWrong = missed.length > 0 || compared.surplus.length > 0 || (compared.seenRed.length > 0) !== (exitCode !== 0);
  const over = { ...compared, missed };
  if (isOpen && !isWrong && compared.seenRed.length > 0) return result({ ...over, result: 'killed', reason: `${compared.seenRed.length} cells red, as reckoned` });
  const now = new Map(seen.map((cell) => [cell.id, cell]));
  if (isWrong) {
    const [first] = missed.map((line) => now.get(line.slice(line.indexOf(': ') + 2))?.reason ?? 'no such cell');
    return result({ ...over, result: 'survived', reason: `${missed.length} cells not red that must be${first === undefined ? '' : ` (${first})`}, ${compared.surplus.length} red that must not` });
  }
  const standing = (one: boolean | null): readonly Opened[] => walls.filter(({ id, wall }) => now.get(id)?.walls?.[wall].stands === one);
  const wrong = standing(true);
  if (wrong.length > 0) return result({ ...over, result: 'survived', reason: `walls that are open and are said to stand: ${wrong.slice(0, 10).map(({ id, wall }) => `${wall} of ${id}`).join(', ')}` });
  const told = standing(false).length;
  if (told > 0) return result({ ...over, result: 'masked', byWalls: true, reason: `the other wall holds; the report names ${told} walls that are open` });
  if (walls.length > 0) return result({ ...over, result: 'masked', reason: `the other wall holds; this one cannot be looked at by itself from ${[...new Set(walls.map(({ from }) => from))].join(', ')}` });
  return result({ ...over, result: 'equivalent', reason: 'nothing gets through, and nothing is red' });
}

type Opened = Readonly<{ id: string; from: string; wall: 'near' | 'far' }>;

/** Cells with a wall that the mutant opened: near, the source lets it out; far, a frame gets in. */
function wallsOpened(cells: readonly Cell[], before: Fates, now: Fates): readonly Opened[] {
  return cells.filter(({ expected, by }) => expected === 'denied' && by === null).flatMap(({ id, from }) => [
    ...(now.user.get(id)?.left === true && before.user.get(id)?.left === false ? [{ id, from, wall: 'near' as const }] : []),
    ...(now.frame.get(id)?.got != null && before.frame.get(id)?.got === null ? [{ id, from, wall: 'far' as const }] : []),
  ]);
}

const isNebulas = (edge: string): boolean => [[vmbr1.mesh, 'joi'], [vmbr1.joi, 'mesh']].some(([address, from]) => edge.startsWith(`${from} -> ${address} 17/${nebula.udpPort} `));
const ownersOf = (address: string): readonly string[] => [...Object.entries(vmbr1), ...Object.entries(wan), ['mesh', nebula.mesh], ['joi', nebula.joi]].filter(([, held]) => held === address).map(([name]) => name ?? '');

/** Packets at the edges of what a change names: its ports and their neighbours, its addresses as sources and targets. */
async function reckonEdges({ host }: Mutant, change: readonly string[]): Promise<ReadonlyMap<string, Fate>> {
  const text = change.join(' ');
  const ports = [...new Set([...text.matchAll(/(?:dport|sport) (?:\{ )?([\d, -]+)/g)].flatMap(([, list = '']) => [...list.matchAll(/\d+/g)].flatMap(([port]) => [Number(port) - 1, Number(port), Number(port) + 1])).concat(31_337))];
  const named = [...new Set([...text.matchAll(/\d+\.\d+\.\d+\.\d+/g)].map(([address]) => address))];
  const own = [...Object.values(vmbr1), nebula.mesh, nebula.joi, wan.gateway, wan.operator, wan.internet, publicAddresses[0] ?? ''];
  const machines = innerNames.filter((name) => name !== 'ollama');
  const packet = (from: InnerName, address: string, protocol: number, dport: number, kind: string): Packet =>
    ({ id: `${from} -> ${address} ${protocol}/${dport} ${kind} `, from, address, protocol, sport: 0, dport, payload: '', by: null });
  const kind = (from: InnerName, address: string): string => (ownersOf(address).includes(from) ? 'to itself' : 'user');
  const users = machines.flatMap((from) => own.flatMap((address) => [6, 17].flatMap((protocol) => ports.map((port) => packet(from, address, protocol, port, kind(from, address))))));
  const strangers = named.filter((address) => !own.includes(address)).flatMap((address) => [6, 17].flatMap((protocol) => ports.map((port) => packet(host, address, protocol, port, 'stranger'))));
  const pings = machines.flatMap((from) => own.map((address) => packet(from, address, 1, 0, kind(from, address))));
  const asUsers = await reckon([...users, ...pings, ...strangers], 'as a user');
  const forged = machines.filter((from) => from !== host).flatMap((from) => own.flatMap((address) => named.flatMap((source) => [6, 17].flatMap((protocol) => ports.slice(0, 8).map((port) => ({ ...packet(from, address, protocol, port, `forged ${source}`), source }))))));
  const frames = [...users.map((one) => ({ ...one, id: `${one.id}as a frame` })), ...pings.map((one) => ({ ...one, id: `${one.id}as a frame` }))];
  const asFrames = new Map([...(await reckon(frames, 'as a frame')), ...(await reckon(forged.slice(0, 9_000), 'as a frame'))]);
  return new Map([...asUsers, ...asFrames]);
}
