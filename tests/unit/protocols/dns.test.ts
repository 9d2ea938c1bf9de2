// DNS: a query as others decode it, and which messages are a resolver's answer to us.
import { isIPv4 } from 'node:net';
import { expect } from 'chai';
import dnsPacket from 'dns-packet';
import { dns, encodeQuery, readAddresses } from '../../../lib/protocols/dns.ts';
import { changed, context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('dns');
/** The reply with another response code (the low four bits of its fourth byte). */
const coded = (code: number): Buffer => changed(reply, { 3: ((reply[3] ?? 0) & 0xf0) | code });

describe('dns: the request', () => {
  it('asks recursively for the addresses of one name', () => {
    const query = dnsPacket.decode(Buffer.from(dns.request(token, context), 'hex'));
    expect(query).to.deep.include({ type: 'query', opcode: 'QUERY', id: 0x0e95, flag_rd: true });
    expect(query.questions).to.deep.equal([{ type: 'A', class: 'IN', name: 'chat.signal.org' }]);
  });
});

describe('dns: a reply', () => {
  it('of dnsmasq is an answer', () => expect(dns.read(reply, token)).to.deep.equal({ seen: 'answered', detail: 'DNS NOERROR, 2 answers' }));
  it('that knows no such name is an answer', () => expect(dns.read(coded(3), token).seen).to.equal('answered'));

  missesAll(dns, token, [
    ['an empty datagram', Buffer.alloc(0), /not a DNS message/],
    ['half a header', reply.subarray(0, 6), /not a DNS message/],
    ['one cut off in its answers', reply.subarray(0, reply.length - 3), /not a DNS message/],
    ['one to another query', changed(reply, { 0: 0x0f }), /no reply to our query/],
    ['a query', changed(reply, { 2: (reply[2] ?? 0) & 0x7f }), /no reply to our query/],
    ['our own query, echoed', encodeQuery(token, 'chat.signal.org'), /no reply to our query/],
    ['SERVFAIL', coded(2), /SERVFAIL.*upstream/],
    ['REFUSED', coded(5), /REFUSED.*access list/],
    ['FORMERR', coded(1), /FORMERR/],
    ['NOTIMP', coded(4), /NOTIMP/],
  ]);
  takesAnyBytes(dns, token, { never: true });
  takesDamage(dns, reply, token);
});

describe('dns: the addresses of a name', () => {
  const rows: readonly (readonly [string, Buffer, readonly string[] | null])[] = [
    ['are those of the reply', reply, ['198.18.10.1', '198.18.10.2']],
    ['are none where no such name is known', coded(3), null],
    ['are none of a refusal', coded(5), null],
    ['are none of another\'s reply', changed(reply, { 0: 0 }), null],
    ['are none of an echo', encodeQuery(token, 'chat.signal.org'), null],
    ['are none of noise', Buffer.from('noise'), null],
  ];
  it('are whole addresses, wherever the reply is cut off', () => {
    for (let at = 0; at <= reply.length; at += 1) for (const address of readAddresses(reply.subarray(0, at), token) ?? []) expect(isIPv4(address), address).to.equal(true);
  });
  for (const [sentence, message, addresses] of rows) it(sentence, () => expect(readAddresses(message, token)).to.deep.equal(addresses));
});
