// The protocols that are a line long: plain TCP, plain UDP, ICMP echo, SSH.
import { expect } from 'chai';
import { icmp } from '../../../lib/protocols/icmp.ts';
import { ssh } from '../../../lib/protocols/ssh.ts';
import { tcp } from '../../../lib/protocols/tcp.ts';
import { udp } from '../../../lib/protocols/udp.ts';
import { context, good, missesAll, takesAnyBytes } from '../../fixtures/protocols.ts';

const token = '00112233445566778899aabbccddeeff';

describe('udp', () => {
  const echo = good('udp');
  it('sends the token under our name', () => expect(udp.request(token, context)).to.equal(`${Buffer.from('flowproof ').toString('hex')}${token}`));
  it('takes an echo for an answer', () => expect(udp.read(echo.reply, echo.token).seen).to.equal('answered'));
  it('takes our token inside other words for an answer', () => expect(udp.read(Buffer.concat([Buffer.from('got: '), echo.reply]), echo.token).seen).to.equal('answered'));
  missesAll(udp, token, [
    ['an empty datagram', Buffer.alloc(0), /0 bytes without our token/],
    ['an echo of another token', echo.reply, /without our token/],
    ['half of our token', Buffer.from(token.slice(0, 30), 'hex'), /without our token/],
  ]);
  takesAnyBytes(udp, token, { never: true });
});

describe('icmp', () => {
  const echo = good('icmp');
  it('sends the token', () => expect(icmp.request(token, context)).to.equal(token));
  it('takes its echo for an answer', () => expect(icmp.read(echo.reply, echo.token).seen).to.equal('answered'));
  it('takes a reply whose data the prober cannot tell for an answer', () => expect(icmp.read(Buffer.alloc(0), token).seen).to.equal('answered'));
  missesAll(icmp, token, [['a reply with other data', Buffer.from('abcdefgh'), /other data/]]);
  takesAnyBytes(icmp, token, { never: false });
});

describe('tcp', () => {
  it('sends nothing', () => expect(tcp.request(token, context)).to.equal(''));
  it('takes whatever the service says for an answer', () => expect(tcp.read(Buffer.from('220 ready'), token).seen).to.equal('answered'));
  takesAnyBytes(tcp, token, { never: false });
});

describe('ssh', () => {
  it('sends nothing', () => expect(ssh.request(token, context)).to.equal(''));
  it('takes an identification line for an answer', () => expect(ssh.read(Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), token).seen).to.equal('answered'));
  missesAll(ssh, token, [['HTTP', Buffer.from('HTTP/1.1 400'), /no SSH/], ['nothing', Buffer.alloc(0), /no SSH/], ['a line cut off', Buffer.from('SSH'), /no SSH/]]);
  takesAnyBytes(ssh, token, { never: true });
});
