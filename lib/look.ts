// One look, whatever way the plan says. A probe never makes it throw.
import type { Entered } from './enter.ts';
import { operator } from './facts.ts';
import { appended, roundTripMiss, triesFor, wrongChance } from './loss.ts';
import type { Failure, Observation, Outcome, Plan, Probe } from './model.ts';
import { readLook } from './outcome.ts';
import { protocols } from './protocols/index.ts';
import { askThroughRelay } from './relay.ts';
import type { Looked, Vantage } from './vantage.ts';

type Seat = Readonly<{
  entered: readonly Entered[];
  vantages: ReadonlyMap<string, Vantage>;
  /** Why the run ended before its time, if it did. */
  stopped: () => string | null;
  /** Told of each look that is over. */
  onLooked?: ((probe: Probe) => void) | undefined;
}>;

/**
 * Every look of the plan, in the order that keeps them apart. What is denied comes first, since its silence takes longest; the count of
 * RSTs is `noted` right after it, as the connections that then open make machines send RSTs of their own when they end. Frames
 * go out once their vantage's own looks have ended: what answers a frame would reach a user's look from the same port.
 */
export async function lookAtAll({ flows, controls }: Plan, by: (probe: Probe) => Promise<Observation>, noted: () => Promise<void>): Promise<readonly Observation[]> {
  const denied = flows.filter(({ flow }) => flow.expected === 'denied');
  const inTurn = (probes: readonly Probe[]): Promise<readonly Observation[]> => Promise.all(probes.map(by));
  const seen = await Promise.all([...new Set(denied.map(({ flow }) => flow.from))].map(async (vantage) => {
    const own = denied.filter(({ flow }) => flow.from === vantage);
    const asUsers = own.flatMap(({ probe, nearWall }) => (nearWall === null ? [probe] : [probe, nearWall]));
    // A handshake that nothing answers takes longest to tell, so that all else can be done meanwhile.
    const first = await inTurn(asUsers.toSorted((a, b) => Number(b.flow.transport === 'tcp') - Number(a.flow.transport === 'tcp')));
    return [...first, ...(await inTurn(own.flatMap(({ farWall }) => farWall ?? [])))];
  }));
  await noted();
  const allowed = flows.filter(({ flow }) => flow.expected !== 'denied').flatMap(({ probe, nearWall, farWall }) => [probe, nearWall, farWall].filter((one) => one !== null));
  return [...seen.flat(), ...(await inTurn([...allowed, ...controls]))];
}

/** The look at a flow; those by connection tracking are the conductor's, since all tables are read at once. */
export async function look(probe: Probe, seat: Seat): Promise<Observation> {
  try {
    return await lookAt(probe, seat);
  } finally {
    seat.onLooked?.(probe);
  }
}

async function lookAt(probe: Probe, seat: Seat): Promise<Observation> {
  const began = Date.now();
  const unprobed = (operation: Failure['operation'], cause: string): Observation => observationOf(probe, began, { seen: 'unprobed', failure: { operation, cause } });
  if (probe.look.by === 'facts') return observationOf(probe, began, probe.look.outcome);
  if (probe.look.by === 'login') return loginObservation(probe, seat.entered);
  if (probe.look.by === 'sessions') return unprobed('facts', 'the connection tracking was not read');
  const vantage = seat.vantages.get(probe.vantage);
  if (vantage === undefined) return unprobed('start-prober', `no prober on ${probe.vantage}`);
  try {
    return await ask(probe, began, vantage, seat);
  } catch (error) {
    return unprobed('exchange', `flowproof's own fault: ${(error as Error).message}`);
  }
}

async function ask(probe: Probe, began: number, vantage: Vantage, { entered, stopped }: Seat): Promise<Observation> {
  const { flow, look: how } = probe;
  const why = ({ failure }: Looked): Failure | null => {
    const cause = stopped();
    return failure !== null && cause !== null ? { operation: 'interrupted', cause } : failure;
  };
  const source = entered.find(({ host }) => host === probe.vantage)?.facts;
  const read = (looked: Looked): Outcome => readLook(probe, looked.replies, why(looked), source);
  if (how.by === 'raw' || how.by === 'frame') {
    const looked = how.by === 'raw' ? await vantage.raw(how.raw) : await vantage.frame(how.frame);
    return observationOf(probe, began, read(looked), looked.replies);
  }
  if (how.by !== 'exchange') throw new Error(`no vantage looks by ${how.by}`);
  const { exchange } = how;
  let looked: Looked = { replies: [], failure: null };
  let outcome: Outcome = { seen: 'silent' };
  let decisive = 0;
  for (let left = flow.expected === 'allowed' ? roundsOfAllowed : 1; left > 0; left -= 1) {
    const last = await vantage.exchange(exchange);
    looked = { replies: appended(looked.replies, last.replies), failure: last.failure };
    outcome = read(last);
    decisive = last.replies.length;
    if (!isCutShort(probe, outcome, last.replies)) break;
  }
  // A denied server that answers needs no second opinion.
  const seen = observationOf(probe, began, outcome, looked.replies);
  const note = flow.protocol === 'ntp' && flow.expected === 'allowed' && flow.from !== operator ? await askThroughRelay(vantage, exchange) : undefined;
  return { ...seen, ...(note === undefined ? {} : { note }), ...(decisive === looked.replies.length ? {} : { decisive }) };
}

/** What ends an exchange before its tries are spent fails by chance in one of twenty: three lost rounds of ARP, or of what follows a handshake. */
const roundsOfAllowed = triesFor(roundTripMiss ** 3, wrongChance.allowed);

/** The neighbour was not found, the handshake was all, or what came was for another: of an allowed flow, a fresh exchange may do better. */
function isCutShort({ flow, token }: Probe, outcome: Outcome, replies: Observation['replies']): boolean {
  const isForeign = (hex: string): boolean => protocols[flow.protocol].isForeign?.(Buffer.from(hex, 'hex'), token) ?? false;
  return outcome.seen === 'dead' || (outcome.seen === 'garbled' && replies.every((reply) => reply.event !== 'data' || isForeign(reply.hex)));
}

export function observationOf({ id, vantage }: Probe, beganMs: number, outcome: Outcome, replies: Observation['replies'] = []): Observation {
  return { id, vantage, startedAt: new Date(beganMs).toISOString(), durationMs: Date.now() - beganMs, outcome, replies };
}

/** Our login is the probe of the rows for SSH: from the operator to the gateway, and from the gateway into each host. */
function loginObservation(probe: Probe, entered: readonly Entered[]): Observation {
  const login = entered.find(({ host }) => host === probe.flow.to)?.login;
  const unprobed = (cause: string): Observation => observationOf(probe, Date.now(), { seen: 'unprobed', failure: { operation: 'login', cause } });
  if (login === undefined || login === null) return unprobed(`there was no login to ${probe.flow.to}`);
  if (probe.flow.from !== operator && login.address !== probe.flow.address)
    return unprobed(`our login to ${probe.flow.to} goes to ${login.address ?? 'a name'}, not to ${probe.flow.address ?? 'a known address'}: set HostName in the ssh config`);
  return { ...observationOf(probe, Date.now(), login.outcome), startedAt: login.startedAt, durationMs: login.durationMs };
}
