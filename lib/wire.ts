// The line protocol between a vantage and its prober: a command a line, an event a line. Pure. It is described in
// prober/README.md. A prober may run on a machine that somebody else has taken over: whatever does not fit is no event.
import { isIP } from 'node:net';
import type { Arrival, Exchange, Frame, Listener, RawLook, Reply, Scan, SweepLook } from './model.ts';

/** What a line of the prober says: an event of a command, or a fact, a row of connection tracking, or the command's end. */
export type Line = Readonly<
  | { id: number; is: 'reply'; reply: Reply }
  | { id: number; is: 'fact'; name: string; text: string }
  | { id: number; is: 'row'; text: string }
  | { id: number; is: 'listening' }
  | { id: number; is: 'arrival'; arrival: Arrival }
  | { id: number; is: 'begun' }
  | { id: number; is: 'at'; place: string; state: string }
  | { id: number; is: 'ports'; first: number; last: number; state: string }
  | { id: number; is: 'count'; of: 'silent' | 'swept'; count: number }
  | { id: number; is: 'end' }>;

/** The longest line a prober has reason to write: 2,048 bytes of data in hex, or a fact (a long routing table). */
export const longestLine = 1 << 20;

/** The command for an exchange. Errors are final but for a neighbour that may only be slow to be found. `isLetOut`: sh needs not find out whether a datagram may leave. */
export function exchangeCommand(id: number, exchange: Exchange, isLetOut = false): string {
  const { transport, address, port, sourcePort, send, attempts, intervalMs, windowMs } = exchange;
  const tries = `${isLetOut ? '=' : ''}${attempts} ${intervalMs} ${windowMs}`;
  return transport === 'icmp'
    ? `${id} icmp ${address} ${send || '-'} ${tries}`
    : `${id} ${transport} ${address} ${port} ${sourcePort} ${send || '-'} ${tries}`;
}

/** The command for a packet of any IP protocol, through the source's own firewall. */
export function rawCommand(id: number, { address, ipProtocol, payload, attempts, intervalMs, windowMs }: RawLook): string {
  return `${id} raw ${address} ${ipProtocol} ${payload || '-'} ${attempts} ${intervalMs} ${windowMs}`;
}

/** The command for a packet past the source's own firewall. */
export function frameCommand(id: number, { device, mac, packet, attempts, intervalMs, windowMs }: Frame): string {
  return `${id} frame ${device} ${mac} ${packet} ${attempts} ${intervalMs} ${windowMs}`;
}

/** The command for a listener on exactly one address. */
export function listenCommand(id: number, { transport, address, port }: Listener, sources: readonly string[], windowMs: number): string {
  return `${id} listen ${transport} ${address} ${port} ${windowMs} ${sources.join(',')}`;
}

/** The command for a scan. */
export function scanCommand(id: number, { transport, windowMs, places }: Scan): string {
  return `${id} scan ${transport} ${windowMs} ${places.map(({ sourcePort, address, port }) => `${sourcePort} ${address} ${port}`).join(' ')}`;
}

/** The command for a range of ports, through the source's own firewall or past it. */
export function sweepCommand(id: number, { transport, address, first, last, sourcePort, attempts, rate, windowMs, past }: SweepLook): string {
  return past === null
    ? `${id} sweep ${transport} ${address} ${first} ${last} ${sourcePort} ${attempts} ${rate} ${windowMs}`
    : `${id} sweep-past ${past.device} ${past.mac} ${past.packet} ${first} ${last} ${attempts} ${rate} ${windowMs}`;
}

/** Reads one line; null: not of the protocol, to be counted and else ignored. */
export function parseLine(line: string): Line | null {
  const [first = '', event = '', ...rest] = line.split(' ');
  const id = integer(first);
  if (id === null) return null;
  if (event === 'end' && rest.length === 0) return { id, is: 'end' };
  if (event === 'row' && rest.length === 1) return isHex(rest[0]) ? { id, is: 'row', text: text(rest[0]) } : null;
  if (event === 'fact' && rest.length === 2) return /^[a-z0-9-]{1,30}$/.test(rest[0] ?? '') && isHex(rest[1]) ? { id, is: 'fact', name: rest[0] ?? '', text: text(rest[1]) } : null;
  if (event === 'listening' && rest.length === 0) return { id, is: 'listening' };
  if (event === 'begun' && rest.length === 0) return { id, is: 'begun' };
  if (event === 'at') return parsePlace(id, rest);
  if (event === 'ports') return parsePorts(id, rest);
  if ((event === 'silent' || event === 'swept') && rest.length === 1) {
    const count = integer(rest[0] ?? '');
    return count === null ? null : { id, is: 'count', of: event, count };
  }
  if (event === 'arrived' || event === 'half') return parseArrival(id, event, rest);
  const reply = parseReply(event, rest);
  return reply === null ? null : { id, is: 'reply', reply };
}

function parseArrival(id: number, how: Arrival['how'], [source = '', port = '', hex = '-']: readonly string[]): Line | null {
  const sourcePort = integer(port);
  if (!isAddress(source) || sourcePort === null || !/^(-|([0-9a-f]{2}){1,64})$/.test(hex)) return null;
  return { id, is: 'arrival', arrival: { how, source: copied(source), sourcePort, hex: hex === '-' ? '' : copied(hex) } };
}

function parsePlace(id: number, [address = '', port = '', state = '', ...more]: readonly string[]): Line | null {
  if (!isAddress(address) || integer(port) === null || !/^(connected|silent|error-[A-Z0-9]{1,20})$/.test(state) || more.length > 0) return null;
  return { id, is: 'at', place: copied(`${address} ${port}`), state: copied(state) };
}

function parsePorts(id: number, [from = '', to = '', state = '', ...more]: readonly string[]): Line | null {
  const [first, last] = [integer(from), integer(to)];
  if (first === null || last === null || first < 1 || last > 65_535 || first > last || !/^(open|reset|refused|barred|error-[A-Z0-9]{1,20})$/.test(state) || more.length > 0) return null;
  return { id, is: 'ports', first, last, state };
}

function parseReply(event: string, rest: readonly string[]): Reply | null {
  const [a = '', b = '', c = '', d = '', e = ''] = rest;
  if (event === 'unprobed') return word(a) && word(b) ? { event, errno: a, operation: b } : null;
  const number = integer(a);
  if (number === null || number < 1) return null;
  switch (event) {
    case 'sent':
      return known(b) && known(c) ? { event, try: number, sourcePort: integer(b), ms: decimal(c) } : null;
    case 'connected':
      return known(b) ? { event, try: number, ms: decimal(b) } : null;
    case 'data':
      return /^(-|([0-9a-f]{2}){1,2048})$/.test(b) && known(c) ? { event, try: number, hex: b === '-' ? '' : copied(b), ms: decimal(c), from: isAddress(d) ? copied(d) : null } : null;
    case 'closed':
      return { event, try: number };
    case 'error':
      return word(b) && word(c) ? { event, try: number, errno: copied(b), operation: copied(c) } : null;
    case 'icmp': {
      const type = integer(c);
      const code = integer(d);
      if ((b !== '4' && b !== '6') || type === null || code === null || !isAddress(e)) return null;
      return { event, try: number, version: b === '4' ? 4 : 6, type, code, from: copied(e) };
    }
    default:
      return null;
  }
}

/** A word of a line, by itself: V8 keeps all that was read with it for as long as any slice of it is kept. ASCII, as all that is kept. */
function copied(slice: string): string {
  return Buffer.from(slice, 'latin1').toString('latin1');
}

function integer(digits: string): number | null {
  return /^\d{1,9}$/.test(digits) ? Number(digits) : null;
}

function decimal(digits: string): number | null {
  return /^\d{1,9}(\.\d{1,6})?$/.test(digits) ? Number(digits) : null;
}

/** A number, or `-` for what the prober cannot know. */
function known(field: string): boolean {
  return field === '-' || decimal(field) !== null;
}

function word(field: string): boolean {
  return /^[A-Za-z0-9_]{1,40}$/.test(field);
}

/** `-` stands for nothing. */
function isHex(field: string | undefined): boolean {
  return field !== undefined && /^(-|([0-9a-f]{2})*)$/.test(field);
}

function text(hex: string | undefined): string {
  return hex === undefined || hex === '-' ? '' : Buffer.from(hex, 'hex').toString('utf8');
}

/** An address, with its interface if it has one: a name of the kernel's, which is at most 15 characters long. */
function isAddress(field: string): boolean {
  const [bare = '', device, ...more] = field.split('%');
  return isIP(bare) !== 0 && more.length === 0 && (device === undefined || /^[A-Za-z0-9._-]{1,15}$/.test(device));
}
