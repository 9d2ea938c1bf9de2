// Reads the connection tracking of the hosts that may witness, and shows each time that it records.
import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { canonical } from './address.ts';
import type { Tracked } from './backing.ts';
import { isFailure } from './facts.ts';
import { newsSince, parseEntries, type Entry, type Reading } from './conntrack.ts';
import type { Control, Discovery } from './model.ts';
import type { Vantage } from './vantage.ts';

/** From the end of one reading to the next. Entries of unanswered UDP live 30 s: what is read every few seconds misses none, and of longer gaps `missable` tells. */
const readEveryMs = 5_000;
/**
 * So many tables in between, of all hosts, and none waits longer for its turn. Machines that share a kernel (the lab's, containers) share its table, and
 * each reading walks all of it: a hundred at once would leave nothing for the looks.
 */
const atOnce = 4, mostWaitMs = 5_000;

export type Tracking = Readonly<{
  /** All that is recorded so far, shown anew to be; the watch goes on. */
  read: () => Promise<ReadonlyMap<string, Tracked>>;
  finish: () => Promise<ReadonlyMap<string, Tracked>>;
}>;

/** Begins to watch; resolves once every witness has been read for the first time. */
export async function startTracking(discovery: Discovery, vantages: ReadonlyMap<string, Vantage>): Promise<Tracking> {
  const everyAddress = Object.values(discovery.hosts).flatMap((facts) => (isFailure(facts) ? [] : facts.addresses.map((own) => canonical(own.address))));
  const sources = [...new Set([...everyAddress, ...discovery.seenAs, ...Object.values(loopbacks)])];
  const limit = pLimit(atOnce);
  const inTurn: Turn = (read) => {
    let begun: Promise<void> | null = null;
    const once = (): Promise<void> => (begun ??= read());
    return Promise.race([limit(once), sleep(mostWaitMs, undefined, { ref: false }).then(once)]);
  };
  const watched = await Promise.all(discovery.witnesses.flatMap((host) => {
    const vantage = vantages.get(host);
    return vantage === undefined ? [] : [watch(host, vantage, sources, inTurn)];
  }));
  const all = async (take: (one: Watched) => Promise<Tracked>): Promise<ReadonlyMap<string, Tracked>> => new Map(await Promise.all(watched.map(async (one) => [one.host, await take(one)] as const)));
  return { read: () => all(({ read }) => read()), finish: () => all(({ finish }) => finish()) };
}

type Watched = Readonly<{ host: string; read: () => Promise<Tracked>; finish: () => Promise<Tracked> }>;

const loopbacks = { ipv4: '127.0.0.1', ipv6: '::1' } as const;

type Turn = (read: () => Promise<void>) => Promise<void>;

async function watch(host: string, vantage: Vantage, sources: readonly string[], inTurn: Turn): Promise<Watched> {
  const first = await readWithControls(host, 'before', vantage, sources);
  const later: Reading[] = [];
  const news = newsSince(first.reading);
  const note = async (): Promise<void> => {
    if (isOver) return;
    const atMs = Date.now();
    const table = await vantage.conntrack(sources);
    if (!isFailure(table)) later.push(news({ atMs, endMs: Date.now(), ...table })); // tables of a hundred hosts every few seconds are not held
  };
  let isOver = false;
  let timer: NodeJS.Timeout;
  const wait = (): void => {
    timer = setTimeout(() => void inTurn(note).then(() => (isOver ? undefined : wait())), readEveryMs);
  };
  wait();
  const read = async (): Promise<Tracked> => {
    const last = await readWithControls(host, 'after', vantage, sources);
    return {
      ipv4: { before: first.ipv4, after: last.ipv4 },
      ipv6: { before: first.ipv6, after: last.ipv6 },
      first: first.reading,
      later: [...later, last.reading],
      keepsMs: first.keepsMs,
    };
  };
  const finish = (): Promise<Tracked> => {
    isOver = true;
    clearTimeout(timer);
    return read();
  };
  return { host, read, finish };
}

/** A busy machine may be late with its own datagram; one that records nothing says so as often. */
const showings = 4;

/** A datagram from the host to itself in each family, to a port drawn now, must be in the table that is read right after. */
async function readWithControls(host: string, when: string, vantage: Vantage, sources: readonly string[]): Promise<Shown> {
  for (let left = showings; ; left -= 1) {
    const shown = await showOnce(host, when, vantage, sources);
    if (left === 1 || shown.unread || (shown.ipv4.held && shown.ipv6.held)) return shown;
  }
}

type Shown = Readonly<{ ipv4: Control; ipv6: Control; reading: Reading; unread: boolean; keepsMs: number | null }>;

async function showOnce(host: string, when: string, vantage: Vantage, sources: readonly string[]): Promise<Shown> {
  const port = randomInt(20_000, 32_000); // below the ephemeral range, so no socket of the host is met by chance
  const toItself = { transport: 'udp', port, sourcePort: 0, send: '00', attempts: 1, intervalMs: 10, windowMs: 100 } as const;
  await Promise.all(Object.values(loopbacks).map((address) => vantage.exchange({ ...toItself, address })));
  const atMs = Date.now();
  const table = await vantage.conntrack(sources);
  const reading: Reading = { atMs, endMs: Date.now(), ...(isFailure(table) ? { rows: [] } : table) };
  const entries = parseEntries(reading);
  const own = (address: string): Entry | undefined => entries.find((entry) => entry.transport === 'udp' && entry.destination === address && entry.port === port);
  const control = (family: keyof typeof loopbacks): Control => {
    const id = `witness ${host} ${family} ${when}`;
    if (isFailure(table)) return { id, held: false, detail: `${host}: ${table.cause}` };
    const held = own(loopbacks[family]) !== undefined;
    return { id, held, detail: `${host} ${held ? 'recorded' : `did not record, ${showings} times,`} its own ${family} datagram to port ${port}${held ? '' : ': is a ct rule loaded for that family?'}` };
  };
  const kept = Object.values(loopbacks).flatMap((address) => (own(address)?.expiresMs ?? []));
  return { ipv4: control('ipv4'), ipv6: control('ipv6'), reading, unread: isFailure(table), keepsMs: kept.length === 0 ? null : Math.min(...kept) - atMs };
}
