// TLS: the ClientHello walked through by its own lengths, and what a server's first record says.
import { expect } from 'chai';
import { tls } from '../../../lib/protocols/tls.ts';
import { changed, context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('tls');

/** Takes a vector with its length in front; a length that lies is an error. */
class Cursor {
  private at = 0;
  private readonly bytes: Buffer;
  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }
  take(length: number): Buffer {
    if (this.at + length > this.bytes.length) throw new RangeError(`${length} bytes wanted at ${this.at} of ${this.bytes.length}`);
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }
  vector(bytes: number): Buffer {
    return this.take(this.take(bytes).readUIntBE(0, bytes));
  }
  get left(): number {
    return this.bytes.length - this.at;
  }
}

function hello(serverName: string | null): Readonly<{ random: string; session: string; suites: Buffer; extensions: ReadonlyMap<number, Buffer> }> {
  const record = new Cursor(Buffer.from(tls.request(token, { ...context, serverName }), 'hex'));
  expect(record.take(3).toString('hex'), 'record').to.equal('160301');
  const message = new Cursor(record.vector(2));
  expect(record.left, 'after the record').to.equal(0);
  expect(message.take(1)[0], 'message').to.equal(1);
  const body = new Cursor(message.vector(3));
  expect(message.left, 'after the message').to.equal(0);
  expect(body.take(2).toString('hex'), 'version').to.equal('0303');
  const [random, session, suites, compressions] = [body.take(32), body.vector(1), body.vector(2), body.vector(1)];
  expect(compressions.toString('hex')).to.equal('00');
  const list = new Cursor(body.vector(2));
  expect(body.left, 'after the extensions').to.equal(0);
  const extensions = new Map<number, Buffer>();
  while (list.left > 0) extensions.set(list.take(2).readUInt16BE(0), list.vector(2));
  return { random: random.toString('hex'), session: session.toString('hex'), suites, extensions };
}

describe('tls: the ClientHello', () => {
  const named = (): ReturnType<typeof hello> => hello('chat.signal.org');
  const extension = (type: number): Buffer => named().extensions.get(type) ?? Buffer.alloc(0);

  it('has the token for random bytes and session', () => expect(named()).to.include({ random: token + token, session: token + token }));
  it('offers whole suites, of 1.3 and 1.2', () => {
    expect(named().suites.length % 2).to.equal(0);
    expect(named().suites.toString('hex')).to.include('1301').and.include('c02f');
  });
  it('offers versions 1.3 and 1.2', () => expect(extension(43).toString('hex')).to.equal('0403040303'));
  it('names the server', () => {
    const names = new Cursor(new Cursor(extension(0)).vector(2));
    expect(names.take(1)[0]).to.equal(0);
    expect(names.vector(2).toString()).to.equal('chat.signal.org');
    expect(names.left).to.equal(0);
  });
  it('has a key share of 32 bytes for x25519', () => {
    const share = new Cursor(new Cursor(extension(51)).vector(2));
    expect(share.take(2).toString('hex')).to.equal('001d');
    expect(share.vector(2)).to.have.length(32);
  });
  it('names no server where none is known', () => expect([...hello(null).extensions.keys()]).to.deep.equal([10, 11, 13, 43, 51]));
});

describe('tls: a reply', () => {
  it('of nginx is an answer', () => expect(tls.read(reply, token)).to.deep.equal({ seen: 'answered', detail: 'TLS ServerHello' }));
  it('that is an alert is an answer: it speaks TLS', () => expect(tls.read(Buffer.from('15030300020228', 'hex'), token).detail).to.equal('TLS alert 40'));

  missesAll(tls, token, [
    ['an empty reply', Buffer.alloc(0), /not a TLS record/],
    ['HTTP', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /not a TLS record/],
    ['an SSH banner', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'), /not a TLS record/],
    ['our own ClientHello, echoed', Buffer.from(tls.request(token, context), 'hex'), /no ServerHello/],
    ['application data', changed(reply, { 0: 23 }), /no ServerHello/],
    ['another handshake message', changed(reply, { 5: 11 }), /no ServerHello/],
    ['SSL 2', changed(reply, { 1: 2 }), /not a TLS record/],
    ['a record without a message', reply.subarray(0, 5), /no ServerHello/],
  ]);
  takesAnyBytes(tls, token, { never: false });
  takesDamage(tls, reply, token);
});
