// Connections that outlive their row: which entries are one, and when nobody can say that there is none.
import { expect } from 'chai';
import type { Tracked } from '../../lib/backing.ts';
import type { Phase } from '../../lib/model.ts';
import { readSessions } from '../../lib/sessions.ts';
import { aFlow, failed, held } from '../fixtures/flows.ts';
import { discovery, inventory, plan } from '../fixtures/site.ts';

const tcp = (destination: string, port: number, state = 'ESTABLISHED', source = '172.22.22.2'): string =>
  `ipv4     2 tcp      6 431999 ${state} src=${source} dst=${destination} sport=50000 dport=${port} src=${destination} dst=${source} sport=${port} dport=50000 [ASSURED] mark=0 zone=0 use=2`;
const udp = (destination: string, port: number, flag = ''): string => `ipv4     2 udp      17 29 src=172.22.22.2 dst=${destination} sport=50000 dport=${port} ${flag}src=${destination} dst=172.22.22.2 sport=${port} dport=50000 mark=0 use=2`;
const tracked = (rows: readonly string[], alive = true): Tracked => {
  const control = alive ? held('before') : failed('before');
  return { ipv4: { before: control, after: held('after') }, ipv6: { before: control, after: held('after') }, first: { atMs: 0, rows }, later: [] };
};
type Given = Readonly<{ joi?: readonly string[]; gateway?: readonly string[]; phase?: Phase; deaf?: boolean }>;
const seen = ({ joi = [], gateway = [], phase = 'steady', deaf = false }: Given): string =>
  readSessions(aFlow(), ['joi', 'gateway'], { inventory, discovery, phase, plan: plan({ phase }), tracked: new Map([['joi', tracked(joi)], ['gateway', tracked(gateway, !deaf)]]) }).seen;

describe('sessions', () => {
  const rows: readonly (readonly [sentence: string, given: Given, outcome: string])[] = [
    ['are none where no table has one', {}, 'absent'],
    ['live on by the host\'s own table', { joi: [tcp('198.18.20.1', 443)] }, 'answered'],
    ['live on by the router\'s table alone: the host may be somebody else\'s', { gateway: [tcp('198.18.20.1', 443)] }, 'answered'],
    ['live on over UDP once there was a reply', { joi: [udp('198.18.20.1', 443)] }, 'answered'],
    ['do not live on over UDP that nobody answered', { joi: [udp('198.18.20.1', 443, '[UNREPLIED] ')] }, 'absent'],
    ['do not live on once they are closed', { joi: [tcp('198.18.20.1', 443, 'TIME_WAIT')] }, 'absent'],
    ['of rows are no survivors', { joi: [tcp('10.42.0.1', 8444, 'ESTABLISHED', '10.42.0.10'), udp('172.22.22.3', 123)] }, 'absent'],
    ['to our own machines that no row allows live on as well', { joi: [tcp('172.22.22.1', 8080)] }, 'answered'],
    ['of the TEMP row are allowed in setup', { joi: [tcp('198.18.99.9', 443)], phase: 'setup' }, 'absent'],
    ['beside the TEMP row live on in setup, too', { joi: [tcp('198.18.99.9', 22)], phase: 'setup' }, 'answered'],
    ['of another host are not this one\'s', { gateway: [tcp('198.18.20.1', 443, 'ESTABLISHED', '172.22.22.3')] }, 'absent'],
    ['within the host are none', { joi: [tcp('172.17.0.2', 11434, 'ESTABLISHED', '172.17.0.1')] }, 'absent'],
    ['to groups are none', { joi: [udp('224.0.0.251', 5353)] }, 'absent'],
    ['cannot be told where a table was not read', { deaf: true }, 'unprobed'],
    ['are told even where another table was not read', { joi: [tcp('198.18.20.1', 443)], deaf: true }, 'answered'],
  ];
  for (const [sentence, given, outcome] of rows) it(sentence, () => expect(seen(given)).to.equal(outcome));
});
