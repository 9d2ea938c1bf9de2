// A bound on the packets that a vantage sends: when a look may begin, and how far apart its tries are. Time is cut into slots, one
// packet each. Pure: the clock is the caller's.
import type { Exchange, Inventory, Timing } from './model.ts';

/** Packets a second. A faster one bounds nothing: without any, a vantage sends some thousand at its busiest. */
export const fastestRate = 1000;

/** As given on the command line (`--rate=50`) or else in FLOWPROOF_RATE. @throws with what is wrong with it */
export function readRate(argv: readonly string[], env: string | undefined): number | undefined {
  const option = argv.find((word) => word === '--rate' || word.startsWith('--rate='));
  const [name, text] = option === undefined ? ['FLOWPROOF_RATE', env] : ['--rate', option.slice('--rate='.length)];
  if (text === undefined || (option === undefined && text === '')) return undefined;
  const rate = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (rate < 1 || rate > fastestRate) throw new Error(`${name} is "${text}"; it must be a whole number of packets a second, 1 to ${fastestRate}, as in --rate=50. Nothing was sent`);
  return rate;
}

/** The inventory with another rate, if one is given. */
export function withRate(inventory: Inventory, rate: number | undefined): Inventory {
  return rate === undefined ? inventory : { ...inventory, site: { ...inventory.site, timing: { ...inventory.site.timing, rate } } };
}

/** Rounded up, so that never more than `rate` of them fit into a second. */
export const slotMsOf = (rate: number): number => Math.ceil(1000 / rate);

/** What goes out in a try: a handshake's SYN is sent again by the kernel, and some datagrams have one before them. */
export type Kind = 'handshake' | 'led datagram' | 'packet';

/** nc first asks, by a datagram with a single NUL, whether one may leave at all. */
export const kindOf = (prober: 'python' | 'sh', { transport }: Pick<Exchange, 'transport'>): Kind =>
  transport === 'tcp' ? 'handshake' : transport === 'udp' && prober === 'sh' ? 'led datagram' : 'packet';

/**
 * Each try of the sh prober is a process. Where it is silence that is expected of a handshake, the first and the last try are all that it
 * makes, at their times: a third of a small machine's work is spared, and nobody waits for the second SYN of the kernel.
 */
export function sparing(exchange: Exchange): Exchange {
  const { transport, send, sourcePort, attempts, intervalMs, windowMs } = exchange;
  const waitsMs = (attempts - 1) * intervalMs + windowMs;
  return transport === 'tcp' && send === '' && sourcePort === 0 && attempts > 2 && waitsMs <= briefMs ? { ...exchange, attempts: 2, intervalMs: (attempts - 1) * intervalMs } : exchange;
}
/** An allowed flow's looks take longer, and those that are made again for lost packets. */
const briefMs = 1_500;

/**
 * Whether nc's scan mode can make the look, by two of the kernel's SYNs in two seconds, or by two datagrams with a single NUL in one: an
 * allowed flow's looks have more tries, and those that are made again for lost packets.
 */
export function isScannable({ transport, send, attempts, windowMs }: Pick<Exchange, 'transport' | 'send' | 'attempts' | 'windowMs'>): boolean {
  const isPlain = (transport === 'tcp' && send === '') || transport === 'udp';
  return isPlain && attempts > 1 && attempts <= 3 && windowMs <= 1_000;
}

/**
 * After so long the kernel sends a SYN again, while its socket is open: each time twice as long as before (RFC 6298), or, since Linux
 * 6.5, the first ones each second (tcp_syn_linear_timeouts). Which of the two is not known: the times of both.
 */
const synAgainMs = [1, 2, 3, 4, 5, 7, 11, 15, 19, 31, 35, 63, 67].map((seconds) => seconds * 1_000);

/** When the packets of a look that nothing answers go out, in ms since it began. */
export function packetTimes({ attempts, intervalMs, windowMs }: Timing, kind: Kind): readonly number[] {
  const overMs = (attempts - 1) * intervalMs + windowMs;
  const tries = Array.from({ length: attempts }, (_none, index) => index * intervalMs);
  const again = kind === 'handshake' ? tries.flatMap((ms) => synAgainMs.map((later) => ms + later).filter((at) => at < overMs)) : [];
  return [...tries, ...again, ...(kind === 'led datagram' ? [0] : [])];
}

/** A look's timing with its tries so far apart that no two packets of it share a slot, and its slots, counted from its first. */
export function spread<T extends Timing>(look: T, kind: Kind, slotMs: number): Readonly<{ look: T; slots: readonly number[] }> {
  for (let apart = Math.max(1, Math.ceil(look.intervalMs / slotMs)); ; apart += 1) {
    const slower = { ...look, intervalMs: apart * slotMs };
    const times = packetTimes(slower, kind).map((ms) => Math.floor(ms / slotMs));
    const slots = kind === 'led datagram' ? [...times.slice(0, -1), 1] : times;
    // It ends: once tries are further apart than the kernel's last SYN from its first, none can meet.
    if (new Set(slots).size === slots.length) return { look: slower, slots };
  }
}

/** The slots that are taken. Moments are in ms of one clock. */
export type Calendar = Readonly<{
  /** Takes the first slots that are free in this pattern. @returns when the first of them begins */
  take: (slots: readonly number[], nowMs: number) => number;
  /** Gives back those that are still to come: the look is over before its time. */
  free: (slots: readonly number[], beganMs: number, nowMs: number) => void;
}>;

export function makeCalendar(slotMs: number): Calendar {
  const taken = new Set<number>();
  let open = 0; // no slot before it is free
  return {
    take: (slots, nowMs) => {
      let start = Math.max(open, Math.ceil(nowMs / slotMs));
      while (slots.some((slot) => taken.has(start + slot))) start += 1;
      for (const slot of slots) taken.add(start + slot);
      for (open = Math.max(open, Math.floor(nowMs / slotMs)); taken.has(open); open += 1);
      return start * slotMs;
    },
    free: (slots, beganMs, nowMs) => {
      for (const slot of slots.map((offset) => beganMs / slotMs + offset).filter((one) => one * slotMs > nowMs)) {
        taken.delete(slot);
        open = Math.min(open, slot);
      }
    },
  };
}
