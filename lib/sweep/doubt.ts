// What the destination's own count of RSTs, and an allowed port that is silent, say of a swept range. Pure.
import { canonical } from '../address.ts';
import type { Pair, PlannedFlow, Probe, Resets, SweepSeen, Swept, Unit, UnitResult } from '../model.ts';
import { cellOf } from './cells.ts';

/**
 * Why silence proves nothing in this unit: packets are lost that an allowed port would have answered, or the target's kernel answered more
 * SYNs by RST than came to be known, whose entries those RSTs have deleted. Asked of TCP, whose handshake any service answers.
 */
export function doubtOf({ first, last }: Pick<Unit, 'first' | 'last'>, pair: Pair, swept: Swept, { base, observations, resets, settled }: Pick<SweepSeen, 'base' | 'observations' | 'resets' | 'settled'>): string | null {
  if (pair.transport !== 'tcp') return null;
  const answered = base.plan.flows.find(({ flow: { id, from, transport, address, port } }) =>
    from === pair.from && transport === 'tcp' && canonical(address ?? '') === canonical(pair.address) && port >= first && port <= last && !swept.states.has(port) && observations.get(id)?.outcome.seen === 'answered');
  if (answered !== undefined) return `port ${answered.flow.port} answers, and was silent in the sweep: packets are lost`;
  const refused = refusedOf(swept).length;
  const heard = settled.size > 0 ? [...settled.values()].filter(({ sent }) => sent).length : resets === refused ? refused : 0;
  return resets === null || resets <= heard ? null : `${pair.to}'s own kernel sent ${resets} RSTs, of which ${heard} came here: silent ports may be closed ones that were reached`;
}

/** Once more, where there is doubt: a packet may be lost and somebody else refused by the target, not twice in half a minute. What was seen open stays so. */
export function isSweptAgain({ red, told }: Pick<UnitResult, 'red' | 'told'>, doubt: string | null): boolean {
  return doubt !== null && [...red, ...told].every((port) => port.result !== 'fail');
}

export const refusedOf = ({ states }: Swept): readonly number[] => [...states].flatMap(([port, state]) => (state === 'reset' || state === 'refused' ? [port] : []));

/** So few may be refused by a firewall while somebody else's RSTs have their very number. */
const fewRefused = 20;

/** Some are refused by the target's own kernel and some by a firewall: those must be asked again, by themselves. */
export function unsettled(pair: Pair, swept: Swept, sent: number | null, token: string): readonly Probe[] {
  const refused = refusedOf(swept);
  return pair.transport === 'udp' || sent === null || sent === 0 || (sent === refused.length && sent > fewRefused) ? [] : refused.map((port) => cellOf(pair, port, token).probe);
}

/** Nobody but this sweep asks the target meanwhile: it has sent none, or one for each that came. Any other count tells nothing. */
export function resetsOf(flows: readonly PlannedFlow[], { to, transport }: Pair, swept: Swept, sent: number | null): ReadonlyMap<string, Resets> {
  const refused = new Set(refusedOf(swept));
  if (transport === 'udp' || sent === null || (sent !== 0 && sent !== refused.size)) return new Map();
  return new Map(flows.map(({ flow }) => {
    const isOwn = sent > 0 && refused.has(flow.port);
    return [flow.id, { id: `resets ${to}`, sent: isOwn, counted: true, detail: isOwn ? `${to}'s own kernel answers it by RST: the SYN gets in, nothing listens there` : `${to}'s kernel sent no RST for it` }];
  }));
}
