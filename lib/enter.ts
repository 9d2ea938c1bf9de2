// Getting in: from the operator's seat through the gateway into each host, a prober at the end of each way.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { Duplex } from 'node:stream';
import { isIP } from 'node:net';
import pLimit from 'p-limit';
import { bootCommand, clientCommand } from './boot.ts';
import { operator } from './facts.ts';
import { parseFacts } from './facts.ts';
import { readLogin, type Login } from './login.ts';
import type { Facts, Failure, Inventory, Outcome } from './model.ts';
import { openSession, type NoSession, type Session } from './ssh.ts';
import { openVantage, type Vantage } from './vantage.ts';

export type Entered = Readonly<{
  host: string;
  session: Session | null;
  vantage: Vantage | null;
  facts: Facts | Failure;
  /** Whether its connection tracking can be read. */
  witness: boolean;
  /** A beacon: it stands outside and only witnesses. `seenAs`: the address that it sees the operator under. */
  beacon: Readonly<{ seenAs: string | null }> | null;
  /** What our login saw of its SSH port; null: no login is needed (the operator's seat). */
  login: Readonly<{ outcome: Outcome; address: string | null; startedAt: string; durationMs: number }> | null;
}>;

/** sshd's stock MaxStartups begins to drop logins at 10 that are not through yet; half of that leaves room for others. */
const loginsAtOnce = 5;

/** Each is some processes of ssh and ssh-keygen here, one after the other. */
const readsAtOnce = 8;

/**
 * Enters every host. Nothing is sent before the host keys of all of them are on file.
 * @param lock the loopback address that the run holds on each
 * @returns one entry a host and one for the operator's seat; a failure is in the entry, never thrown
 */
export async function enterAll(inventory: Inventory, lock: string): Promise<readonly Entered[]> {
  const hosts = Object.keys(inventory.matrix.hosts);
  const reads = pLimit(readsAtOnce);
  const logins = await Promise.all(hosts.map((host) => reads(() => readLogin(inventory.site.logins[host] ?? host))));
  const outside = await Promise.all(Object.values(inventory.site.beacons ?? {}).map(readLogin));
  const unknown = [...logins, ...outside].filter((login): login is Failure => 'operation' in login);
  if (unknown.length > 0) {
    const failure: Failure = { operation: 'known-hosts', cause: unknown.map(({ cause }) => cause).join('; ') };
    return [...hosts, operator].map((host) => notEntered(host, failure, { seen: 'unprobed', failure }, null));
  }
  const loginOf = (host: string): Login => logins[hosts.indexOf(host)] as Login;
  const { gateway } = inventory.site;
  const local = enterHere();
  const beacons = Promise.all(Object.entries(inventory.site.beacons ?? {}).map(([name, login]) => enterBeacon(name, login)));
  const first = await enter(gateway, loginOf(gateway), null, lock);
  const limit = pLimit(loginsAtOnce);
  const rest = await Promise.all(hosts.filter((host) => host !== gateway).map((host) => limit(() => enterThrough(host, loginOf(host), first, lock))));
  return [...hosts.map((host) => [first, ...rest].find((entered) => entered.host === host) ?? first), await local, ...(await beacons)];
}

function enterThrough(host: string, login: Login, gateway: Entered, lock: string): Promise<Entered> {
  if (gateway.session !== null) return enter(host, login, gateway.session, lock);
  const failure: Failure = { operation: 'login', cause: `no way in but by ${gateway.host}: ${'cause' in gateway.facts ? gateway.facts.cause : 'its session ended'}` };
  return Promise.resolve(notEntered(host, failure, { seen: 'unprobed', failure }, login.hostName));
}

async function enter(host: string, login: Login, through: Session | null, lock: string | null): Promise<Entered> {
  const begin = Date.now();
  const session = await openSession(login, through);
  const timed = { address: isIP(login.hostName) === 0 ? null : login.hostName, startedAt: new Date(begin).toISOString(), durationMs: Date.now() - begin };
  if ('failure' in session) return { ...notEntered(host, session.failure, session.outcome, null), login: { ...timed, outcome: session.outcome } };
  const outcome: Outcome = { seen: 'answered', detail: `our own SSH login as ${login.user}, host key ${session.hostKey}`, rttMs: null };
  return { ...(await lookAround(host, session, lock)), session, beacon: null, login: { ...timed, outcome } };
}

/** Straight, since it stands outside; two runs may share it. */
async function enterBeacon(name: string, login: string): Promise<Entered> {
  const known = await readLogin(login);
  if ('operation' in known) return notEntered(name, known, { seen: 'unprobed', failure: known }, null);
  const entered = await enter(name, known, null, null);
  // As long as a login may take: it is in nobody's hands that we know, and could let us wait for ever.
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), 15_000).unref());
  return { ...entered, beacon: { seenAs: entered.session === null ? null : await Promise.race([clientOf(entered.session), late]) } };
}

/** The address that the host sees us under. */
async function clientOf(session: Session): Promise<string | null> {
  try {
    const channel = await session.exec(clientCommand);
    for await (const chunk of channel) {
      const address = String(chunk).split(' ')[0] ?? '';
      return isIP(address) === 0 ? null : address;
    }
  } catch {
    // Then it is known by no address: it recognises the lab's and no translated one.
  }
  return null;
}

async function lookAround(host: string, session: Session, lock: string | null): Promise<Pick<Entered, 'host' | 'vantage' | 'facts' | 'witness'>> {
  try {
    const mark = newMark();
    const around = await withVantage(host, await session.exec(bootCommand(mark)), mark);
    const taken = lock !== null && around.vantage !== null ? await around.vantage.lock(lock) : null;
    if (taken === null) return around;
    around.vantage?.close();
    return { host, vantage: null, witness: false, facts: { ...taken, cause: `${host}: ${taken.cause}` } };
  } catch (error) {
    return { host, vantage: null, witness: false, facts: { operation: 'start-prober', cause: `${host}: ${(error as Error).message}` } };
  }
}

/** The operator's seat: the same prober, with no SSH between. */
async function enterHere(): Promise<Entered> {
  const mark = newMark();
  const child = spawn('sh', ['-c', bootCommand(mark)], { stdio: ['pipe', 'pipe', 'ignore'] });
  return { ...(await withVantage(operator, Duplex.from({ writable: child.stdin, readable: child.stdout }), mark)), session: null, beacon: null, login: null };
}

const newMark = (): string => randomBytes(8).toString('hex');

async function withVantage(host: string, stream: Duplex, mark: string): Promise<Pick<Entered, 'host' | 'vantage' | 'facts' | 'witness'>> {
  const vantage = await openVantage(stream, mark);
  if ('operation' in vantage) return { host, vantage: null, witness: false, facts: { ...vantage, cause: `${host}: ${vantage.cause}` } };
  const answer = await vantage.facts();
  if (!('told' in answer)) return { host, vantage, witness: false, facts: { operation: 'facts', cause: `${host}: ${answer.cause}` } };
  const facts = parseFacts(answer.told);
  return { host, vantage, witness: answer.told.conntrack?.trim() === 'readable', facts: facts ?? { operation: 'facts', cause: `${host} does not tell its addresses and routes: is the command ip there?` } };
}

function notEntered(host: string, failure: Failure, outcome: NoSession['outcome'], address: string | null): Entered {
  return { host, session: null, vantage: null, witness: false, beacon: null, facts: failure, login: { outcome, address, startedAt: new Date().toISOString(), durationMs: 0 } };
}
