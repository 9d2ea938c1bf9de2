// A finding as a person would say it: what was expected, what was seen, by which way, and what shows it. Pure; what hosts
// and peers said is passed on raw, and each report makes it harmless in its own way.
import type { Finding, RunRecord } from '../model.ts';

type Run = RunRecord['run'];

/** By which row, or that there is none. A denied cell with a row is that of a TEMP one whose time is over. */
export function expectedOf({ flow }: Finding, { phase }: Run): string {
  if (flow.expected === 'allowed') return `allowed by row "${flow.row}"`;
  if (flow.row === 'everything else') return 'denied: no row of the matrix allows it';
  return phase === 'steady' ? `denied: row "${flow.row}" is TEMP, phase is steady` : `denied: the time of TEMP row "${flow.row}" is over`;
}

/** `REACHED 198.51.100.80 in 1.2 ms`, `BLOCKED: …`, `NOT TOLD: …`, after the cell's id. */
export function seenOf({ flow, observation, verdict }: Finding): string {
  const { outcome } = observation;
  if (verdict.result === 'inconclusive') return `${flow.id}: NOT TOLD: ${verdict.reason}`;
  if (flow.expected === 'allowed') return `${flow.id}: NOT WORKING: ${verdict.reason}`;
  const time = outcome.seen === 'answered' && outcome.rttMs !== null ? ` in ${outcome.rttMs.toFixed(1)} ms` : '';
  const reason = verdict.reason.replace(/^reached: /, '');
  return `${flow.id}: REACHED${flow.address === null ? '' : ` ${flow.address}`}${time}: ${reason}`;
}

/** The name of one of our hosts that holds the address. */
function holderOf({ hosts }: Run, address: string): string | null {
  return hosts.find(({ facts }) => facts?.addresses.some((own) => own.address === address))?.name ?? null;
}

/** Where it left, through whom it came, and where it stopped or got to. */
export function wayOf(finding: Finding, run: Run): string {
  const { flow, observation, backing, verdict } = finding;
  const { from, route } = flow;
  if (flow.family === 'surviving session') return `the connection of ${from} was there before this run`;
  if (observation.outcome.seen === 'unprobed') return 'nothing was sent';
  if (observation.outcome.seen === 'barred' && verdict.result === 'fail' && flow.expected === 'allowed') return `it did not leave ${from}: its own firewall would not send`;
  if (route === null || route.interface === undefined) return `${from} has no route of its own to it`;
  const next = flow.by ?? (route.via === undefined ? null : (holderOf(run, route.via) ?? `the router ${route.via}`));
  const left = backing.left;
  if (verdict.result !== 'fail') return `it would leave ${from} by ${route.interface}${next === null ? '' : ` for ${next}`}`;
  if (flow.expected === 'denied') return `it left ${from} by ${route.interface} and ${next === null ? `came straight to ${flow.to}` : `came through ${next}`}`;
  if (left !== null && left.before.held && left.after.held && left.saw === null) return `it did not leave ${from}: its connection tracking has nothing of it`;
  const towards = next === null ? `for ${flow.to}` : `for ${next}`;
  const seen = arrivalOf(finding);
  return `it left ${from} by ${route.interface} ${towards}; ${seen === null ? `nothing shows that ${flow.to} got it` : `it got to ${flow.to}`}`;
}

const arrivalOf = ({ backing }: Finding): string | null => backing.listener?.saw ?? backing.witnesses.find(({ saw }) => saw !== null)?.saw ?? (backing.resets?.sent === true ? backing.resets.detail : null);

/** What a sceptic may look at. */
export function proofOf(finding: Finding): string {
  const { observation, verdict, walls } = finding;
  const { outcome, replies } = observation;
  if (verdict.result === 'inconclusive') return verdict.controls.length === 0 ? 'nothing: the look itself failed' : `nothing: it would take ${list(verdict.controls)}`;
  if (verdict.reason.startsWith('open to who')) return `a frame past its own firewall: ${walls?.far.reason ?? ''}${verdict.controls.length === 0 ? '' : ` (${list(verdict.controls)})`}`;
  const arrival = arrivalOf(finding);
  if (arrival !== null && outcome.seen !== 'answered') return arrival;
  const answers = replies.filter(({ event }) => event === 'connected' || event === 'data' || event === 'icmp');
  if (answers.length > 0) return `its own answer: ${list(answers.map(answerOf))}`;
  if (outcome.seen === 'answered') return `its own answer: ${outcome.detail}`;
  const tries = replies.filter(({ event }) => event === 'sent').length;
  const what = verdict.controls.length === 0 ? '' : `; ${list(verdict.controls)}`;
  return tries === 0 ? `what ${finding.flow.from}'s kernel said (${outcome.seen})${what}` : `${tries} tries, ${outcome.seen}${what}`;
}

function answerOf(reply: Finding['observation']['replies'][number]): string {
  switch (reply.event) {
    case 'connected':
      return `a TCP handshake${reply.ms === null ? '' : ` after ${reply.ms.toFixed(1)} ms`}`;
    case 'data':
      return `${reply.hex.length / 2} bytes${reply.from === null ? '' : ` from ${reply.from}`}`;
    case 'icmp':
      return `ICMP type ${reply.type} code ${reply.code} from ${reply.from}`;
    default:
      return reply.event;
  }
}

/** Named of many. */
const named = 3;
/** A few of them, without repeats, and how many more. */
export function list(texts: readonly string[], most: number = named): string {
  const all = [...new Set(texts)];
  return all.length > most ? `${all.slice(0, most).join(', ')} and ${all.length - most} more` : all.join(', ');
}
