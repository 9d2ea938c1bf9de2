// What shows that a vantage can send on an interface, as a user and by frames: an answer it got there, or our own session on
// it. Pure.
import { factsOf, interfaceOf, isFailure, operator } from './facts.ts';
import type { Control, Discovery, Observation, Outcome, Plan } from './model.ts';

/** By host: the address that our SSH session into it stands on. */
export type Sessions = ReadonlyMap<string, string>;

type Seen = Readonly<{ discovery: Discovery; plan: Plan; observations: ReadonlyMap<string, Observation>; sessions: Sessions }>;
type SenderOf = (vantage: string, device: string | null, to: string) => Control;
/** `by`: whose word it is. */
type Vouched = Readonly<{ by: string; control: Control }>;

/**
 * `device` null: any interface will do. For what a vantage sends, its own word counts and ours; of other machines that of the
 * destination alone, on whose word the cell rests anyway. A third one, in other hands, could vouch for anybody.
 */
export function senderControls(seen: Seen): Readonly<{ endToEnd: SenderOf; frames: SenderOf }> {
  const held = new Map<string, Vouched[]>();
  const framed = new Map<string, Vouched[]>();
  const note = (into: Map<string, Vouched[]>, vantage: string, device: string | undefined | null, vouched: Vouched): void => {
    for (const key of [`${vantage} ${device}`, `${vantage} any`]) {
      const known = into.get(key) ?? [];
      if (device && !known.some(({ by }) => by === vouched.by)) into.set(key, [...known, vouched]);
    }
  };
  const holder = (host: string, address: string): string | null => {
    const facts = factsOf(seen.discovery, host);
    return isFailure(facts) ? null : interfaceOf(facts, address);
  };
  for (const [host, address] of seen.sessions) note(held, host, holder(host, address), { by: operator, control: { id: `login ${host}`, held: true, detail: `our SSH session into ${host} is on that interface` } });
  for (const { flow, look } of [...seen.plan.flows.map(({ probe }) => probe), ...seen.plan.controls]) {
    const outcome = seen.observations.get(flow.id)?.outcome;
    if (outcome === undefined || !isAnswer(outcome)) continue;
    // Our own login tells of the rows for SSH: the gateway's word is not asked.
    const vouched = { by: look.by === 'login' ? operator : flow.from, control: { id: flow.id, held: true, detail: `answered: ${outcome.detail}` } };
    note(look.by === 'frame' ? framed : held, flow.from, flow.route?.interface, vouched);
    // What answered has sent as well, on the interface that holds the address.
    note(held, flow.to, holder(flow.to, flow.address ?? ''), vouched);
  }
  const told = (from: ReadonlyMap<string, readonly Vouched[]>, what: string): SenderOf => (vantage, device, to) =>
    from.get(`${vantage} ${device ?? 'any'}`)?.find(({ by }) => [vantage, operator, to].includes(by))?.control ?? { id: `${what} ${vantage} ${device ?? 'any'}`, held: false, detail: `nothing in this run shows that ${vantage} can send${what === 'sender' ? '' : ' frames'} on ${device ?? 'any interface'}` };
  return { endToEnd: told(held, 'sender'), frames: told(framed, 'frames') };
}

/** Whatever protocol it spoke: something came back from there. */
export function isAnswer(outcome: Outcome): outcome is Extract<Outcome, { seen: 'answered' | 'garbled' }> {
  return outcome.seen === 'answered' || outcome.seen === 'garbled';
}
