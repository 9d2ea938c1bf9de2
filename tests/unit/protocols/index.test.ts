// The table of protocols: every one fits its transport, asks in hex, and knows its own captured reply.
import { expect } from 'chai';
import fc from 'fast-check';
import type { Protocol, Transport } from '../../../lib/model.ts';
import { protocolFor, protocols } from '../../../lib/protocols/index.ts';
import { captured, context } from '../../fixtures/protocols.ts';

const tokens = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('hex'));

describe('protocols', () => {
  for (const { protocol, of, token, hex } of captured)
    it(`${protocol} takes the captured reply of ${of} for an answer`, () => expect(protocols[protocol].read(Buffer.from(hex, 'hex'), token).seen).to.equal('answered'));

  for (const [name, module] of Object.entries(protocols)) {
    it(`${name} asks in hex, the same for the same token`, () => fc.assert(fc.property(tokens, (token) => {
      const request = module.request(token, context);
      expect(request).to.match(/^([0-9a-f]{2})*$/);
      expect(module.request(token, context)).to.equal(request);
    }), { numRuns: 50 }));
    it(`${name} asks without a name or an address too`, () => expect(module.request('00'.repeat(16), { ...context, serverName: null, ownAddress: null })).to.match(/^([0-9a-f]{2})*$/));
  }

  it('no echo of what is asked is taken for a service, but where an echo is the question', () => {
    for (const name of ['tls', 'ollama', 'dns', 'ntp', 'dhcp', 'nebula'] as const) {
      const token = '00112233445566778899aabbccddeeff';
      expect(protocols[name].read(Buffer.from(protocols[name].request(token, context), 'hex'), token).seen, name).to.equal('garbled');
    }
  });

  const spoken: readonly (readonly [Transport, number, Protocol])[] = [
    ['udp', 53, 'dns'], ['udp', 67, 'dhcp'], ['udp', 123, 'ntp'], ['udp', 4242, 'nebula'], ['udp', 161, 'udp'],
    ['tcp', 53, 'tcp'], ['tcp', 443, 'tcp'], ['tcp', 22, 'tcp'], ['icmp', 0, 'icmp'],
  ];
  for (const [transport, port, protocol] of spoken)
    it(`${transport}/${port} is asked in ${protocol} where no row says more`, () => expect(protocolFor(transport, port)).to.equal(protocol));
});
