// Replies of a prober -> outcome. Pure. An answer outweighs everything, a failed look outweighs every kind of "blocked".
import { isIP } from 'node:net';
import { sameAddress } from './address.ts';
import { isFailure } from './facts.ts';
import type { Facts, Failure, Flow, Outcome, Probe, Reply } from './model.ts';
import { protocols } from './protocols/index.ts';

type Asked = Readonly<{
  flow: Flow;
  address: string;
  token: string;
  send: string;
  /** Whether the source's own list has an address of the target's family. */
  hasFamily: boolean;
}>;

/** What a probe saw, by its replies; the run and who judges it again read it alike. `source`: what the vantage's host says of itself. */
export function readLook({ flow, token, look }: Probe, replies: readonly Reply[], failure: Failure | null, source: Facts | Failure | undefined): Outcome {
  // A handshake's second step is an answer; what the flow's own protocol would add, no packet of ours has asked for.
  if (look.by !== 'exchange') return readOutcome({ flow, address: flow.address ?? '', token, send: '', hasFamily: true }, asSocketReplies(flow, replies), failure);
  const { address, send } = look.exchange;
  return readOutcome({ flow, address, token, send, hasFamily: hasFamilyOf(source, address) }, replies, failure);
}

function hasFamilyOf(source: Facts | Failure | undefined, address: string): boolean {
  const family = isIP(address.split('%')[0] ?? '');
  return source === undefined || isFailure(source) || source.addresses.some((own) => own.scope !== 'host' && isIP(own.address) === family);
}

/**
 * What an exchange saw.
 * @param asked the probe's flow, address, token and bytes
 * @param replies the prober's events in the order they came
 * @param failure why the exchange did not come to its end, if it did not
 */
export function readOutcome(asked: Asked, replies: readonly Reply[], failure: Failure | null): Outcome {
  const reached = readData(asked, replies) ?? readConnection(asked, replies);
  if (reached !== null) return reached;
  if (failure !== null) return { seen: 'unprobed', failure };
  const notLooked = replies.find((r) => r.event === 'unprobed');
  if (notLooked !== undefined) return unprobed(`${notLooked.operation}: ${notLooked.errno}`);
  const errors = replies.flatMap((r) => {
    if (r.event === 'icmp') return [readIcmp(asked, r)];
    // An errno that an ICMP error of the same try explains says less than that one.
    return r.event === 'error' && !replies.some((other) => other.event === 'icmp' && other.try === r.try) ? [readError(asked, r)] : [];
  });
  const failed = errors.find((outcome) => outcome.seen === 'unprobed');
  if (failed !== undefined) return failed;
  const furthest = errors.toSorted((a, b) => weight.indexOf(a.seen) - weight.indexOf(b.seen))[0];
  // One try that got out makes EPERM on another a rate limit, and no proof of a wall: so it also weighs least.
  if (furthest?.seen === 'barred' && replies.some((r) => r.event === 'sent' && !replies.some((other) => other.event === 'error' && other.try === r.try))) return { seen: 'silent' };
  if (furthest !== undefined) return furthest;
  return replies.some((r) => r.event === 'sent') ? { seen: 'silent' } : unprobed('the prober sent nothing');
}

/** What came back for a packet that we made ourselves, in the words of a socket: data begins with the transport's header. */
export function asSocketReplies({ transport }: Flow, replies: readonly Reply[]): readonly Reply[] {
  return replies.map((reply): Reply => {
    if (reply.event !== 'data') return reply;
    const bytes = Buffer.from(reply.hex, 'hex');
    if (transport === 'tcp') {
      const flags = bytes[13] ?? 0; // RFC 9293, section 3.1
      if ((flags & tcpFlags.rst) !== 0) return { event: 'error', try: reply.try, errno: 'ECONNREFUSED', operation: 'read' };
      return (flags & tcpFlags.synAck) === tcpFlags.synAck ? { event: 'connected', try: reply.try, ms: reply.ms } : { event: 'closed', try: reply.try };
    }
    return transport === 'ip' ? reply : { ...reply, hex: bytes.subarray(headerBytes).toString('hex') };
  });
}

const tcpFlags = { rst: 0x04, synAck: 0x12 } as const;
/** Of UDP's header, and of an echo's: their lengths are the same. */
const headerBytes = 8;

/** Where tries differ, the one that came furthest counts. */
const weight: readonly Outcome['seen'][] = ['refused', 'rejected', 'unrouted', 'absent', 'dead', 'silent', 'barred'];

function unprobed(cause: string): Outcome {
  return { seen: 'unprobed', failure: { operation: 'exchange', cause } };
}

function readData(asked: Asked, replies: readonly Reply[]): Outcome | null {
  const readings = replies.flatMap((reply) =>
    reply.event === 'data' ? [{ reply, reading: protocols[asked.flow.protocol].read(Buffer.from(reply.hex, 'hex'), asked.token) }] : [],
  );
  const best = readings.find(({ reading }) => reading.seen === 'answered') ?? readings[0];
  if (best === undefined) return null;
  const { reading, reply } = best;
  return reading.seen === 'answered' ? { ...reading, seen: 'answered', rttMs: reply.ms } : { seen: 'garbled', detail: reading.detail };
}

function readConnection(asked: Asked, replies: readonly Reply[]): Outcome | null {
  const connected = replies.find((reply) => reply.event === 'connected');
  // A RST before the end of the handshake is ECONNREFUSED; this one came behind it, before the prober had looked (Linux, net/ipv4/tcp_input.c, tcp_reset).
  const reset = replies.some((reply) => reply.event === 'error' && reply.operation === 'connect' && reply.errno === 'ECONNRESET');
  if (connected === undefined && !reset) return null;
  if (asked.send === '') return connected === undefined ? { seen: 'answered', detail: 'TCP handshake, and a reset behind it', rttMs: null } : { seen: 'answered', detail: 'TCP handshake', rttMs: connected.ms };
  return { seen: 'garbled', detail: `TCP connects, but nothing answers in ${asked.flow.protocol}` };
}

function readError({ flow, hasFamily }: Asked, { errno, operation }: Extract<Reply, { event: 'error' }>): Outcome {
  // What bind or socket says is about our own host's state, never about the firewall.
  const noFamily = !hasFamily && (errno === 'EADDRNOTAVAIL' || errno === 'EAFNOSUPPORT');
  if ((operation === 'bind' || operation === 'socket') && !noFamily) return unprobed(`${operation}: ${errno}`);
  switch (errno) {
    case 'EPERM':
      return { seen: 'barred', detail: `EPERM on ${operation}` };
    case 'ECONNREFUSED':
      return { seen: 'refused', by: flow.transport === 'tcp' ? 'rst' : 'port-unreachable' };
    case 'ENETUNREACH':
      return { seen: 'unrouted', detail: 'no route (ENETUNREACH)' };
    case 'EACCES':
      return flow.route?.kind === 'prohibit' ? { seen: 'unrouted', detail: 'a prohibit route (EACCES)' } : unprobed(`${operation}: EACCES`);
    case 'EINVAL':
      // A malformed call gives EINVAL too, so the host's own table must name the route.
      return flow.route?.kind === 'blackhole' ? { seen: 'unrouted', detail: 'a blackhole route (EINVAL)' } : unprobed(`${operation}: EINVAL`);
    case 'EHOSTUNREACH':
      return flow.route?.kind === 'unreachable'
        ? { seen: 'unrouted', detail: 'an unreachable route (EHOSTUNREACH)' }
        : { seen: 'dead', detail: 'the neighbour does not answer (EHOSTUNREACH)' };
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      // A machine that has run out of ports says EADDRNOTAVAIL too, so its own list must agree.
      return hasFamily ? unprobed(`${operation}: ${errno}`) : { seen: 'absent', detail: `the source has no address of that family (${errno})` };
    case 'ETIMEDOUT':
      return { seen: 'silent' };
    default:
      return unprobed(`${operation}: ${errno}`);
  }
}

/** Destination unreachable: RFC 792 page 4 and RFC 1812, section 5.2.7.1; RFC 4443, section 3.1. */
const unreachable = {
  4: { type: 3, port: 3, prohibited: [9, 10, 13], dead: [0, 1, 5, 6, 7] },
  6: { type: 1, port: 4, prohibited: [1, 5, 6], dead: [0, 3] },
} as const;

function readIcmp(asked: Asked, reply: Extract<Reply, { event: 'icmp' }>): Outcome {
  const known = unreachable[reply.version];
  const detail = `ICMP${reply.version === 6 ? 'v6' : ''} type ${reply.type} code ${reply.code}`;
  const fromTarget = sameAddress(reply.from, asked.address);
  if (reply.type === known.type) {
    if (reply.code === known.port && fromTarget) return { seen: 'refused', by: 'port-unreachable' };
    if ((known.prohibited as readonly number[]).includes(reply.code)) return { seen: 'rejected', detail, from: reply.from, prohibited: true };
    // A router says so of a host that does not answer, behind an open firewall too: no proof of a block.
    if ((known.dead as readonly number[]).includes(reply.code)) return { seen: 'dead', detail: `${detail} from ${reply.from}` };
  }
  return { seen: 'rejected', detail, from: reply.from, prohibited: false };
}
