// Observation and what backs it -> verdict. Pure; the whole policy of flowproof. The table is in DESIGN.md, "Verdicts".
import { sameAddress } from './address.ts';
import type { Backing, Control, Flow, Grade, Outcome, Verdict, Walls, Witness } from './model.ts';

/**
 * Judges one flow by the look of a user.
 * @param outcome what the vantage saw of it
 * @param backing the controls taken for it in this run; null: not taken
 * @returns a failed look is inconclusive whatever was expected; a pass of a denied flow names the controls it stands on
 */
export function judge(flow: Flow, outcome: Outcome, backing: Backing): Verdict {
  if (outcome.seen === 'unprobed') return { result: 'inconclusive', reason: `could not look (${outcome.failure.operation}): ${outcome.failure.cause}`, controls: [] };
  const verdict = flow.expected === 'allowed' ? judgeAllowed(flow, outcome, backing) : judgeDenied(flow, outcome, backing);
  return flow.ended === undefined ? verdict : judgeEnded(flow.ended, verdict);
}

/** Phase setup says that the TEMP rows hold. Of one that has ended it is wrong, whether the flow still works or is blocked by now. */
function judgeEnded(day: string, { result, reason, controls }: Verdict): Verdict {
  const ended = `its TEMP row ended on ${day}`;
  if (result === 'inconclusive') return { result, reason, controls };
  return { result: 'fail', reason: result === 'fail' ? `${ended}: ${reason}` : `${ended}, and it is blocked by now (${reason}): test phase steady, take the row out, or give it a later day`, controls };
}

/** A confined host's flows must be stopped by others, too: a pass that rests on its own firewall alone is none. */
export function judgeConfined(verdict: Verdict, { far }: Walls): Verdict {
  if (verdict.result !== 'pass' || far.stands !== false) return verdict;
  return { result: 'fail', reason: pastOwnFirewall(far.reason), controls: far.controls };
}

export const pastOwnFirewall = (reason: string): string => `open to who takes the machine over: past its own firewall, it is ${reason}`;

type Seen = Exclude<Outcome, { seen: 'unprobed' }>;

function judgeAllowed(flow: Flow, outcome: Seen, backing: Backing): Verdict {
  const fail = (reason: string, controls: readonly Control[] = []): Verdict => ({ result: 'fail', reason, controls: ids(controls) });
  if (outcome.seen === 'answered') return { result: 'pass', reason: outcome.detail, grade: 'proven', controls: [] };
  if (outcome.seen === 'garbled') return fail(`wrong service: ${outcome.detail}`);
  // Asked first: a firewall may let Nebula's own port alone out or in, and ours is another.
  if (flow.protocol === 'nebula' && (outcome.seen === 'silent' || outcome.seen === 'barred') && backing.overlay?.held === true)
    return { result: 'pass', reason: `no recv_error to another port, but the overlay works, which is stricter than the matrix: ${backing.overlay.detail}`, grade: 'proven', controls: ids([backing.overlay]) };
  const delivered = arrival(backing);
  if (delivered !== null) {
    const what = outcome.seen === 'refused' ? 'no service' : 'no service, or the reply is lost';
    return fail(`${what}: the path is open (${delivered})`, witnessControls(backing));
  }
  if (outcome.seen === 'refused') return fail('blocked or no service: refused by the target, and nothing shows whether by its firewall or since nothing listens');
  if (outcome.seen === 'silent' && isAlive(backing.left) && backing.left?.saw === null && !forgetful(flow, outcome, backing))
    return fail('blocked: at the source, its own firewall let nothing out', [backing.left.before, backing.left.after]);
  return fail(`blocked: ${whereStopped(outcome)}`);
}

function judgeDenied(flow: Flow, outcome: Seen, backing: Backing): Verdict {
  const { sender, alive, near, left } = backing;
  const pass = (grade: Grade, reason: string, controls: readonly (Control | null)[] = []): Verdict => ({ result: 'pass', grade, reason, controls: ids(controls) });
  const missing = (reason: string): Verdict => ({ result: 'inconclusive', reason, controls: ids([sender, alive, ...witnessControls(backing)]) });

  if (outcome.seen === 'answered' || outcome.seen === 'garbled') return { result: 'fail', reason: `reached: ${outcome.detail}`, controls: [] };
  const delivered = arrival(backing);
  if (delivered !== null) return { result: 'fail', reason: `reached: ${delivered}, though nothing came back`, controls: ids(witnessControls(backing)) };
  if (outcome.seen === 'barred') return pass('proven', `barred by the source's own firewall: ${outcome.detail}`);
  if (outcome.seen === 'absent') return pass('proven', outcome.detail);
  if (outcome.seen === 'no path') return pass('no path', outcome.detail);
  if (outcome.seen === 'rejected' && (outcome.prohibited || !sameAddress(outcome.from, flow.address ?? '')))
    return pass('proven', `rejected: ${whereStopped(outcome)}`);

  const heard = isAlive(backing.listener);
  const witnessed = heard || backing.witnesses.some(isAlive);
  if (outcome.seen === 'refused' || outcome.seen === 'rejected') {
    const byFirewall = `${whereStopped(outcome)}, by a firewall`;
    // A RST deletes the entry that connection tracking had, so after one it knows nothing.
    const rst = outcome.seen === 'refused' && outcome.by === 'rst';
    if (rst && !heard && backing.resets?.counted === true && backing.resets.sent === false) return pass('proven', `${byFirewall}: ${backing.resets.detail}`, [resetsControl(backing)]);
    return witnessed && !(rst && !heard) ? pass('proven', `${byFirewall}: ${account(backing)}`, aliveControls(backing)) : missing('ambiguous refusal: by a firewall, or by a host behind an open one');
  }

  if (outcome.seen === 'silent' && near?.held === true) return pass('proven', `silent; stopped by the source's own firewall: ${near.detail}`, [near]);
  const unsure = forgetful(flow, outcome, backing);
  if (outcome.seen === 'silent' && isAlive(left) && left?.saw === null && !unsure)
    return pass('proven', "silent; stopped by the source's own firewall: its connection tracking has nothing of it that left", [left.before, left.after, resetsControl(backing)]);
  if (sender?.held !== true) return missing(`control missing: ${sender?.detail ?? 'nothing shows that the source can send there'}`);
  if (witnessed && !unsure) return pass('proven', `${outcome.seen}; ${account(backing)}`, [sender, ...aliveControls(backing), heard ? null : resetsControl(backing)]);
  if (witnessed)
    return pass('inferred', `silent; ${account(backing)}, nor would there be one of a SYN whose RST was lost`, [sender, ...aliveControls(backing)]);
  const [dead] = backing.witnesses;
  if (dead !== undefined) return missing(`control missing: the witness was not alive (${deadHalf(dead)})`);
  if (outcome.seen === 'dead') return missing(`control missing: ${outcome.detail}`);
  if (alive?.held === true) return pass('inferred', `${outcome.seen}, and alive from elsewhere: ${alive.detail}`, [sender, alive]);
  return missing(`control missing: ${alive?.detail ?? 'nothing shows that the destination is alive there'}`);
}

/**
 * A closed port's RST deletes the entry of its SYN in every connection tracking that it passes, also where it is lost later.
 * Not where the port is open (our listener, a service alive from elsewhere) or the target is shown to have sent none.
 */
function forgetful(flow: Flow, outcome: Seen, backing: Backing): boolean {
  return flow.transport === 'tcp' && outcome.seen === 'silent' && !isAlive(backing.listener) && backing.alive?.held !== true && backing.resets?.sent !== false;
}

/** What shows that the far end has it, if anything does. A witness that was not alive still counts where it saw something. */
function arrival({ witnesses, listener, resets }: Backing): string | null {
  return listener?.saw ?? witnesses.find(({ saw }) => saw !== null)?.saw ?? (resets?.sent === true ? resets.detail : null);
}

function isAlive(witness: Witness | null): boolean {
  return witness !== null && witness.before.held && witness.after.held;
}

function account({ witnesses, listener }: Backing): string {
  const heard = isAlive(listener) ? ['our listener there got nothing'] : [];
  return [...heard, ...witnesses.filter(isAlive).map(({ id }) => `the ${id} has no entry of it`)].join(', and ');
}

function witnessControls({ witnesses, listener, resets }: Backing): readonly Control[] {
  const told = [listener, ...witnesses].flatMap((one) => (one === null ? [] : [one.before, one.after]));
  return resets === null ? told : [...told, { id: resets.id, held: resets.sent !== null, detail: resets.detail }];
}

/** A pass stands on what held alone. */
function aliveControls({ witnesses, listener }: Backing): readonly Control[] {
  return [listener, ...witnesses].flatMap((one) => (one !== null && isAlive(one) ? [one.before, one.after] : []));
}

function resetsControl({ resets }: Backing): Control | null {
  return resets === null || resets.sent === null ? null : { id: resets.id, held: true, detail: resets.detail };
}

function deadHalf({ before, after }: Witness): string {
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
