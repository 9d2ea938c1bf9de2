// Ollama: a request that lingers nowhere, and which HTTP answers are Ollama's.
import { expect } from 'chai';
import { ollama } from '../../../lib/protocols/ollama.ts';
import { context, good, missesAll, takesAnyBytes, takesDamage } from '../../fixtures/protocols.ts';

const { reply, token } = good('ollama');
const http = (text: string): Buffer => Buffer.from(text.replaceAll('\n', '\r\n'));

describe('ollama: the request', () => {
  it('is a whole HTTP/1.0 request for the root', () =>
    expect(Buffer.from(ollama.request(token, context), 'hex').toString()).to.equal('GET / HTTP/1.0\r\nHost: localhost\r\n\r\n'));
});

describe('ollama: a reply', () => {
  it('of the stand-in is an answer', () => expect(ollama.read(reply, token)).to.deep.equal({ seen: 'answered', detail: 'HTTP 200, Ollama is running' }));
  it('in HTTP/1.0 is an answer', () => expect(ollama.read(http('HTTP/1.0 200 OK\n\nOllama is running'), token).seen).to.equal('answered'));

  missesAll(ollama, token, [
    ['an empty reply', Buffer.alloc(0), /no HTTP status line/],
    ['404 that speaks of Ollama', http('HTTP/1.1 404 Not Found\n\nOllama is running'), /HTTP 404/],
    ['a gateway\'s 502', http('HTTP/1.1 502 Bad Gateway\n\n'), /HTTP 502/],
    ['200 of another server', http('HTTP/1.1 200 OK\n\nWelcome to nginx!'), /not Ollama/],
    ['the words alone', Buffer.from('Ollama is running'), /no HTTP status line/],
    ['our own request, echoed', Buffer.from(ollama.request(token, context), 'hex'), /no HTTP status line/],
    ['HTTP/2', Buffer.from('000012040000000000', 'hex'), /no HTTP status line/],
    ['a status line further down', http('hello\nHTTP/1.1 200 OK\n\nOllama is running'), /no HTTP status line/],
  ]);
  takesAnyBytes(ollama, token, { never: true });
  takesDamage(ollama, reply, token);
});
