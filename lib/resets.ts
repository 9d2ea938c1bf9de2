// The witness of last resort for TCP: a host's own count of the RSTs that it sent. A SYN to a closed port makes the kernel
// send one, whatever becomes of it; a firewall's `reject with tcp reset` is not counted. Needs no root and opens no port.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Failure, Probe, Resets } from './model.ts';
import type { Vantage } from './vantage.ts';

/** Whether a look asked again was refused; null: it could not be had. */
type Again = (probe: Probe) => Promise<boolean | null>;
export type Counting = Readonly<{
  /** Reads the counts at a moment by which all looks at denied flows have been made, and nothing has connected. */
  note: () => Promise<void>;
  settle: (unsure: readonly Probe[], again: Again) => Promise<ReadonlyMap<string, Resets>>;
}>;

/** Of looks asked again in groups, a host: halving a hundred cells for a few culprits takes some forty. */
const mostRounds = 60;

/**
 * With other shards of the run: the address that one holds while it has the count to itself, and how a moment is waited for. Their
 * looks may move the count all the same. That it stood still is true whoever else is there; that it moved is believed only if it does so
 * each time that a group is asked, and stands still before.
 */
export type Sharing = Readonly<{ turn: string; pause?: () => Promise<unknown> }>;
const momentMs = 500;
/** Others' looks and turns take seconds, of each; a shard that ends lets go. */
const mostMoments = { ofATurn: 600, untilStill: 120 } as const;

/** Reads the counts before the first probe; hosts that cannot tell are left out. */
export async function startCounting(vantages: ReadonlyMap<string, Vantage>, sharing: Sharing | null = null): Promise<Counting> {
  const read = async (): Promise<ReadonlyMap<string, number | Failure>> => new Map(await Promise.all([...vantages].map(async ([host, vantage]) => [host, await vantage.resets()] as const)));
  const first = await read();
  let noted: ReadonlyMap<string, number | Failure> = new Map();
  const settle = async (unsure: readonly Probe[], again: Again): Promise<ReadonlyMap<string, Resets>> => {
    const found = new Map<string, Resets>();
    await Promise.all([...vantages].map(async ([host, vantage]) => {
      const before = first.get(host);
      const own = unsure.filter(({ flow }) => flow.to === host);
      if (typeof before === 'number' && own.length > 0) await settleHost({ host, vantage, sharing, again, found }, own, noted.get(host) === before);
    }));
    return found;
  };
  return { note: async () => void (noted = await read()), settle };
}

type Asked = Readonly<{ host: string; vantage: Vantage; sharing: Sharing | null; again: Again; found: Map<string, Resets> }>;

/** Where the count has not moved, no look was answered by a RST. Else they are asked again, in ever smaller groups. */
async function settleHost({ host, vantage, sharing, again, found }: Asked, unsure: readonly Probe[], isQuiet: boolean): Promise<void> {
  const mark = (group: readonly Probe[], sent: boolean): void => {
    const detail = sent ? `${host}'s own kernel answers it by RST: the SYN gets in, nothing listens there` : `${host}'s kernel sent no RST for it`;
    for (const { id } of group) found.set(id, { id: `resets ${host}`, sent, counted: true, detail });
  };
  // What is allowed was looked at after the counts had been noted, so they say nothing of it.
  const isNoted = ({ flow }: Probe): boolean => isQuiet && flow.expected === 'denied';
  mark(unsure.filter(isNoted), false);
  let rounds = mostRounds;
  const ask = async (group: readonly Probe[]): Promise<void> => {
    if (group.length === 0 || rounds-- <= 0) return;
    const { sent, refused, lost } = await countWhile(vantage, group, again, sharing);
    if (lost.length > 0) return ask(group.filter((probe) => !lost.includes(probe))); // their vantage is gone, the others need not suffer
    if (sent === 0) return mark(group, false);
    if (sent === null) return void (rounds = sharing === null ? rounds : 0); // nor will it tell more of the others
    if (sent === group.length && refused.length === group.length) return mark(group, true);
    // An open firewall refuses many at once: those by themselves take two rounds, not two a cell.
    const [first, second] = refused.length > 0 && refused.length < group.length ? [refused, group.filter((probe) => !refused.includes(probe))] : [group.slice(0, group.length / 2), group.slice(group.length / 2)];
    if (group.length > 1) {
      await ask(first);
      return ask(second);
    }
    // Somebody else's RST could have fallen into the moment; not twice.
    if (rounds-- > 0 && ((await countWhile(vantage, group, again, sharing)).sent ?? 0) > 0) mark(group, true);
  };
  const left = unsure.filter((probe) => !isNoted(probe));
  if (left.length > 0) await inTurn(vantage, sharing, () => ask(left));
}

/** What could not have its turn is not asked, and stays unsettled. */
async function inTurn(vantage: Vantage, sharing: Sharing | null, settle: () => Promise<void>): Promise<void> {
  if (sharing === null) return settle();
  for (let moments: number = mostMoments.ofATurn; (await vantage.lock(sharing.turn)) !== null; moments -= 1) {
    if (moments === 0 || vantage.ended()) return;
    await pauseOf(sharing)();
  }
  try {
    await settle();
  } finally {
    await vantage.unlock(sharing.turn);
  }
}

const pauseOf = ({ pause = () => sleep(momentMs) }: Sharing): (() => Promise<unknown>) => pause;

type Counted = Readonly<{ sent: number | null; refused: readonly Probe[]; lost: readonly Probe[] }>;

async function countWhile(vantage: Vantage, group: readonly Probe[], again: Again, sharing: Sharing | null): Promise<Counted> {
  const first = await countOnce(vantage, group, again);
  if (sharing === null || first.sent === null || first.sent === 0) return first;
  let least = Number.POSITIVE_INFINITY;
  for (let left = 2; left > 0; left -= 1) {
    if (!(await isStill(vantage, sharing))) return { ...first, sent: null };
    const next = await countOnce(vantage, group, again);
    if (next.sent === null || next.sent === 0) return next;
    least = Math.min(least, next.sent); // what others add is not there each time
  }
  return { ...first, sent: least };
}

async function isStill(vantage: Vantage, sharing: Sharing): Promise<boolean> {
  for (let left: number = mostMoments.untilStill; left > 0; left -= 1) {
    const before = await vantage.resets();
    await pauseOf(sharing)();
    const after = await vantage.resets();
    if (typeof before !== 'number' || typeof after !== 'number') return false;
    if (before === after) return true;
  }
  return false;
}

async function countOnce(vantage: Vantage, group: readonly Probe[], again: Again): Promise<Counted> {
  const before = await vantage.resets();
  const asked = await Promise.all(group.map(again));
  const after = await vantage.resets();
  const told = typeof before === 'number' && typeof after === 'number' && !asked.includes(null);
  return { sent: told ? after - before : null, refused: group.filter((_probe, index) => asked[index] === true), lost: group.filter((_probe, index) => asked[index] === null) };
}
