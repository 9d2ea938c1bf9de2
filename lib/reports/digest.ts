// What stands behind one cell, in a few lines, for readers of JUnit who never open evidence.json. Pure; texts of others are raw in it.
import type { Finding, Walls, Witness } from '../model.ts';

/** Tries told one by one; a look that was made again often has more. */
const shownReplies = 12;
/** Of a reply's bytes: enough to know a protocol by. */
const shownBytes = 24;

export function digestOf({ flow, observation, verdict, backing, walls, waiver }: Finding): readonly string[] {
  const { replies } = observation;
  const witnesses = [...backing.witnesses, ...[backing.listener, backing.left].filter((one) => one !== null)];
  return [
    `expected ${flow.expected} (${flow.row}); address ${flow.address ?? 'unknown'}; ${flow.protocol}; family ${flow.family}`,
    `seen ${observation.outcome.seen}; verdict ${verdict.result}${verdict.result === 'pass' ? ` (${verdict.grade})` : ''}: ${verdict.reason}`,
    ...(verdict.controls.length === 0 ? [] : [`controls: ${verdict.controls.join('; ')}`]),
    ...(waiver === null ? [] : [`waived until ${waiver.until} by ${waiver.acceptedBy}: ${waiver.reason}`]),
    ...(walls === null ? [] : [`walls: its own ${stands(walls.near)}, the others' ${stands(walls.far)}`]),
    ...witnesses.map(witnessLine),
    ...replies.slice(0, shownReplies).map(replyLine),
    ...(replies.length > shownReplies ? [`and ${replies.length - shownReplies} events more, in evidence.json`] : []),
    ...(observation.note === undefined ? [] : [observation.note]),
    `looked at ${observation.startedAt} for ${observation.durationMs} ms`,
  ];
}

function stands(wall: Walls['near']): string {
  return wall.stands === null ? 'not told' : wall.stands ? 'stands' : 'is open';
}

function witnessLine({ id, before, after, saw }: Witness): string {
  return `witness ${id}: ${saw ?? 'saw nothing of it'}; ${before.held && after.held ? 'awake before and after' : `not shown to be awake (${(before.held ? after : before).detail})`}`;
}

function replyLine(reply: Finding['observation']['replies'][number]): string {
  const at = 'ms' in reply && reply.ms !== null ? ` at ${reply.ms.toFixed(1)} ms` : '';
  switch (reply.event) {
    case 'sent':
      return `try ${reply.try} sent${reply.sourcePort === null ? '' : ` from port ${reply.sourcePort}`}${at}`;
    case 'data':
      return `try ${reply.try} got ${reply.hex.length / 2} bytes${reply.from === null ? '' : ` from ${reply.from}`}${at}: ${reply.hex.slice(0, 2 * shownBytes)}${reply.hex.length > 2 * shownBytes ? '…' : ''}`;
    case 'connected':
    case 'closed':
      return `try ${reply.try} ${reply.event}${at}`;
    case 'icmp':
      return `try ${reply.try} got ICMPv${reply.version} type ${reply.type} code ${reply.code} from ${reply.from}`;
    case 'error':
      return `try ${reply.try} ended with ${reply.errno} in ${reply.operation}`;
    case 'unprobed':
      return `not made: ${reply.errno} in ${reply.operation}`;
    default:
      return reply satisfies never;
  }
}
