// Ollama's HTTP API (ollama/ollama docs/api.md): GET / says "Ollama is running".
import { answered, garbled, type ProtocolModule } from './protocol.ts';

export const ollama: ProtocolModule = {
  sourcePort: 0,
  // HTTP/1.0: the server closes after the answer, so nothing lingers on the host.
  request: () => Buffer.from('GET / HTTP/1.0\r\nHost: localhost\r\n\r\n').toString('hex'),
  read(reply) {
    const text = reply.toString('latin1');
    const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
    if (status === undefined) return garbled('no HTTP status line');
    if (status !== '200') return garbled(`HTTP ${status}`);
    return text.includes('Ollama is running') ? answered('HTTP 200, Ollama is running') : garbled('HTTP 200, but not Ollama');
  },
};
