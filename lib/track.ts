// Reads the connection tracking of the hosts that may witness, and shows each time that it records.
import { randomInt } from 'node:crypto';
import { canonical } from './address.ts';
import type { Tracked } from './backing.ts';
import { isFailure } from './destinations.ts';
import { parseEntries } from './conntrack.ts';
import type { Control, Discovery } from './model.ts';
import type { Vantage } from './vantage.ts';

/** Entries of unanswered UDP live 30 s: what is read every few seconds misses none. */
const readEveryMs = 5_000;

export type Tracking = Readonly<{ finish: () => Promise<ReadonlyMap<string, Tracked>> }>;

/** Begins to watch; resolves once every witness has been read for the first time. */
export async function startTracking(discovery: Discovery, vantages: ReadonlyMap<string, Vantage>): Promise<Tracking> {
  const everyAddress = Object.values(discovery.hosts).flatMap((facts) => (isFailure(facts) ? [] : facts.addresses.map((own) => canonical(own.address))));
  const sources = [...new Set([...everyAddress, loopback])];
  const watched = await Promise.all(discovery.witnesses.flatMap((host) => {
    const vantage = vantages.get(host);
    return vantage === undefined ? [] : [watch(host, vantage, sources)];
  }));
  return { finish: async () => new Map(await Promise.all(watched.map(async ({ host, finish }) => [host, await finish()] as const))) };
}

const loopback = '127.0.0.1';

async function watch(host: string, vantage: Vantage, sources: readonly string[]): Promise<{ host: string; finish: () => Promise<Tracked> }> {
  const first = await readWithControl(host, 'before', vantage, sources);
  const later: string[] = [];
  const timer = setInterval(() => {
    void vantage.conntrack(sources).then((rows) => Array.isArray(rows) && later.push(...rows));
  }, readEveryMs);
  const finish = async (): Promise<Tracked> => {
    clearInterval(timer);
    const last = await readWithControl(host, 'after', vantage, sources);
    return { before: first.control, after: last.control, first: first.rows, later: [...later, ...last.rows] };
  };
  return { host, finish };
}

/** A datagram from the host to itself, to a port drawn now, must be in the table that is read right after it. */
async function readWithControl(host: string, when: 'before' | 'after', vantage: Vantage, sources: readonly string[]): Promise<{ control: Control; rows: readonly string[] }> {
  const id = `witness ${host} ${when}`;
  const port = randomInt(20_000, 32_000); // below the ephemeral range, so no socket of the host is met by chance
  await vantage.exchange({ transport: 'udp', address: loopback, port, sourcePort: 0, send: '00', attempts: 1, intervalMs: 10, windowMs: 100 });
  const rows = await vantage.conntrack(sources);
  if (!Array.isArray(rows)) return { control: { id, held: false, detail: `${host}: ${'cause' in rows ? rows.cause : 'not read'}` }, rows: [] };
  const held = parseEntries(rows).some((entry) => entry.transport === 'udp' && entry.destination === loopback && entry.port === port);
  return { control: { id, held, detail: held ? `${host} recorded its own datagram to port ${port}` : `${host} did not record its own datagram to port ${port}: is a ct rule loaded?` }, rows };
}
