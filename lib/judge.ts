// Observation and what backs it -> verdict. Pure; the whole policy of flowproof. The table is in DESIGN.md, "Verdicts".
import { sameAddress } from './address.ts';
import type { Backing, Control, Flow, Outcome, Verdict, Witness } from './model.ts';

/**
 * Judges one flow.
 * @param outcome what the vantage saw of it
 * @param backing the controls taken for it in this run; null: not taken
 * @returns a failed look is inconclusive whatever was expected; a pass of a denied flow names the controls it stands on
 */
export function judge(flow: Flow, outcome: Outcome, backing: Backing): Verdict {
  if (outcome.seen === 'unprobed') return { result: 'inconclusive', reason: `could not look (${outcome.failure.operation}): ${outcome.failure.cause}`, controls: [] };
  return flow.expected === 'allowed' ? judgeAllowed(flow, outcome, backing) : judgeDenied(flow, outcome, backing);
}

type Seen = Exclude<Outcome, { seen: 'unprobed' }>;

function judgeAllowed(flow: Flow, outcome: Seen, backing: Backing): Verdict {
  const fail = (reason: string, controls: readonly Control[] = []): Verdict => ({ result: 'fail', reason, controls: ids(controls) });
  if (outcome.seen === 'answered') return { result: 'pass', reason: outcome.detail, grade: 'proven', controls: [] };
  if (outcome.seen === 'garbled') return fail(`wrong service: ${outcome.detail}`);
  // Asked first: Nebula's own firewall entry may let its port alone through, which is stricter than the matrix.
  if (flow.protocol === 'nebula' && outcome.seen === 'silent' && backing.overlay?.held === true)
    return { result: 'pass', reason: `no recv_error, but the overlay works: ${backing.overlay.detail}`, grade: 'proven', controls: ids([backing.overlay]) };
  const delivered = arrival(backing);
  if (delivered !== null) {
    const what = outcome.seen === 'refused' ? 'no service' : 'no service, or the reply is lost';
    return fail(`${what}: the path is open (${delivered})`, witnessControls(backing));
  }
  if (outcome.seen === 'refused') return fail('blocked or no service: refused by the target, and nothing shows whether by its firewall or since nothing listens');
  return fail(`blocked: ${whereStopped(outcome)}`);
}

function judgeDenied(flow: Flow, outcome: Seen, backing: Backing): Verdict {
  const pass = (grade: 'proven' | 'inferred' | 'no path', reason: string, controls: readonly (Control | null)[] = []): Verdict =>
    ({ result: 'pass', grade, reason, controls: ids(controls) });
  const missing = (reason: string): Verdict => ({ result: 'inconclusive', reason, controls: ids([backing.sender, backing.alive, ...witnessControls(backing)]) });

  if (outcome.seen === 'answered' || outcome.seen === 'garbled') return { result: 'fail', reason: `reached: ${outcome.detail}`, controls: [] };
  const delivered = arrival(backing);
  if (delivered !== null) return { result: 'fail', reason: `reached: ${delivered}, though nothing came back`, controls: ids(witnessControls(backing)) };
  if (outcome.seen === 'barred') return pass('proven', `barred by the source's own firewall: ${outcome.detail}`);
  if (outcome.seen === 'absent') return pass('proven', outcome.detail);
  if (outcome.seen === 'no path') return pass('no path', outcome.detail);
  if (outcome.seen === 'rejected' && (outcome.prohibited || !sameAddress(outcome.from, flow.address ?? '')))
    return pass('proven', `rejected: ${whereStopped(outcome)}`);

  const heard = isAlive(backing.listener);
  const witnessed = heard || isAlive(backing.witness);
  if (outcome.seen === 'refused' || outcome.seen === 'rejected') {
    // A RST deletes the entry that connection tracking had, so after one only a listener knows.
    const forgotten = outcome.seen === 'refused' && outcome.by === 'rst' && !heard;
    return witnessed && !forgotten
      ? pass('proven', `${whereStopped(outcome)}, by a firewall: ${account(backing)}`, aliveControls(backing))
      : missing('ambiguous refusal: by a firewall, or by a host behind an open one');
  }

  if (backing.sender?.held !== true) return missing(`control missing: ${backing.sender?.detail ?? 'nothing shows that the source can send there'}`);
  // A closed port's RST deletes the entry of its SYN, also a RST that is lost on its way back; a listener's port is open.
  const forgetful = flow.transport === 'tcp' && outcome.seen === 'silent' && !heard;
  if (witnessed && !forgetful)
    return pass('proven', `${outcome.seen}; ${account(backing)}`, [backing.sender, ...aliveControls(backing)]);
  if (witnessed)
    return pass('inferred', "silent; the target's connection tracking has no entry of it, nor would it have of a SYN whose RST was lost", [backing.sender, ...aliveControls(backing)]);
  if (backing.witness !== null) return missing(`control missing: the witness was not alive (${deadHalf(backing.witness)})`);
  if (outcome.seen === 'dead') return missing(`control missing: ${outcome.detail}`);
  if (backing.alive?.held === true) return pass('inferred', `${outcome.seen}, and alive from elsewhere: ${backing.alive.detail}`, [backing.sender, backing.alive]);
  return missing(`control missing: ${backing.alive?.detail ?? 'nothing shows that the destination is alive there'}`);
}

/** What shows that the far end has it, if anything does. A witness that was not alive still counts where it saw something. */
function arrival({ witness, listener }: Backing): string | null {
  return listener?.saw ?? witness?.saw ?? null;
}

function isAlive(witness: Witness | null): boolean {
  return witness !== null && witness.before.held && witness.after.held;
}

function account({ witness, listener }: Backing): string {
  const heard = isAlive(listener) ? ['our listener there got nothing'] : [];
  return [...heard, ...(isAlive(witness) ? ["the target's connection tracking has no entry of it"] : [])].join(', and ');
}

function witnessControls({ witness, listener }: Backing): readonly Control[] {
  return [listener, witness].flatMap((one) => (one === null ? [] : [one.before, one.after]));
}

/** A pass stands on what held alone. */
function aliveControls({ witness, listener }: Backing): readonly Control[] {
  return [listener, witness].flatMap((one) => (one !== null && isAlive(one) ? [one.before, one.after] : []));
}

function deadHalf({ before, after }: NonNullable<Backing['witness']>): string {
  return before.held ? after.detail : before.detail;
}

function ids(controls: readonly (Control | null)[]): readonly string[] {
  return controls.flatMap((control) => control?.id ?? []);
}

function whereStopped(outcome: Seen): string {
  switch (outcome.seen) {
    case 'barred':
      return `at the source, its own firewall would not send (${outcome.detail})`;
    case 'rejected':
      return `${outcome.detail} from ${outcome.from}`;
    case 'silent':
      return 'silent: dropped on the way, by the destination or on the way back';
    case 'dead':
    case 'unrouted':
    case 'absent':
    case 'no path':
      return outcome.detail;
    case 'refused':
      return `refused (${outcome.by})`;
    case 'answered':
    case 'garbled':
      return outcome.detail;
    default:
      return outcome satisfies never;
  }
}
