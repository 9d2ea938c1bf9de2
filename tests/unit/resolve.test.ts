// The names of targets, asked by those who may ask: every address anybody was told, and a failure where nobody was.
import dnsPacket from 'dns-packet';
import { expect } from 'chai';
import type { Discovery, Exchange, Inventory, Phase } from '../../lib/model.ts';
import { resolveNames } from '../../lib/resolve.ts';
import type { Vantage } from '../../lib/vantage.ts';
import { hosts, inventory, token, without } from '../fixtures/site.ts';
import { mute } from '../fixtures/vantage.ts';

type Zone = Readonly<Record<string, readonly string[]>>;

/** A vantage whose resolver knows a zone, and answers as a resolver does; each question is noted. */
function vantage(zone: Zone | null, asked: Exchange[] = []): Vantage {
  const answer = (exchange: Exchange): Awaited<ReturnType<Vantage['exchange']>> => {
    asked.push(exchange);
    const { id = 0, questions: [question] = [] } = dnsPacket.decode(Buffer.from(exchange.send, 'hex'));
    const name = question?.name ?? '';
    const answers = (zone?.[name] ?? []).map((data) => ({ type: 'A' as const, name, data }));
    const hex = dnsPacket.encode({ type: 'response', id, questions: question === undefined ? [] : [question], answers }).toString('hex');
    return { replies: zone === null ? [{ event: 'sent', try: 1, sourcePort: 1, ms: 0 }] : [{ event: 'data', try: 1, hex, ms: 1, from: exchange.address }], failure: null };
  };
  return { ...mute, exchange: (exchange) => Promise.resolve(answer(exchange)) };
}

async function resolve(vantages: Readonly<Record<string, Vantage>>, over: Partial<Readonly<{ hosts: Discovery['hosts']; inventory: Inventory; phase: Phase }>> = {}): Promise<Discovery['names']> {
  return resolveNames({ inventory, phase: 'steady', newToken: token, ...over }, over.hosts ?? hosts, new Map(Object.entries(vantages)));
}

const zone: Zone = { 'chat.signal.org': ['198.18.10.2', '198.18.10.1'], 'github.com': ['198.18.20.1'] };

describe('resolve', () => {
  it('gives the addresses of a name, sorted', async () => expect((await resolve({ mesh: vantage(zone) }))['chat.signal.org']).to.deep.equal(['198.18.10.1', '198.18.10.2']));
  it('gives what any of the vantages was told, each once', async () =>
    expect((await resolve({ mesh: vantage(zone), ntp: vantage({ 'github.com': ['198.18.20.9', '198.18.20.1'] }) }))['github.com']).to.deep.equal(['198.18.20.1', '198.18.20.9']));
  it('takes no more than sixteen addresses from one asker, and leaves the others theirs', async () => {
    const forged = Array.from({ length: 60 }, (_none, index) => `10.0.0.${index + 1}`);
    const found = (await resolve({ mesh: vantage({ 'github.com': forged }), ntp: vantage(zone) }))['github.com'];
    expect(found).to.have.length(17).and.include('198.18.20.1');
  });
  it('asks for every name, of those alone whom a row lets ask', async () => {
    const asked = { mesh: [] as Exchange[], joi: [] as Exchange[] };
    const names = await resolve({ mesh: vantage(zone, asked.mesh), joi: vantage(zone, asked.joi) });
    expect(Object.keys(names)).to.have.members(['chat.signal.org', 'storage.signal.org', 'time.cloudflare.com', 'pool.ntp.org', 'github.com', 'example.com']);
    expect([asked.mesh.length, asked.joi.length]).to.deep.equal([6, 0]);
    expect(asked.mesh[0]).to.include({ transport: 'udp', address: '198.51.100.1', port: 53 });
  });
  it('does not ask by a TEMP row that has ended', async () => {
    const flows = inventory.matrix.flows.map((row) => (row.speaks === 'dns' ? { ...row, temp: true } : row));
    const temporary = { ...inventory, matrix: { ...inventory.matrix, flows } };
    expect((await resolve({ mesh: vantage(zone) }, { inventory: temporary }))['github.com']).to.include({ operation: 'resolve' });
    expect((await resolve({ mesh: vantage(zone) }, { inventory: temporary, phase: 'setup' }))['github.com']).to.deep.equal(['198.18.20.1']);
  });

  const failures: readonly (readonly [sentence: string, vantages: Readonly<Record<string, Vantage>>, found: Discovery['hosts'], cause: RegExp])[] = [
    ['a name that nobody knows', { mesh: vantage({}) }, hosts, /github\.com has no address: mesh asked 198\.51\.100\.1/],
    ['a resolver that is silent', { mesh: vantage(null) }, hosts, /mesh asked 198\.51\.100\.1/],
    ['no vantage that may ask', { joi: vantage(zone) }, hosts, /no vantage may resolve/],
    ['hosts that could not be entered', {}, without('mesh', 'ntp').hosts, /no vantage may resolve/],
  ];
  for (const [sentence, vantages, found, cause] of failures)
    it(`of ${sentence} is a failure that says so`, async () => {
      const name = (await resolve(vantages, { hosts: found }))['github.com'];
      expect(name).to.have.property('operation', 'resolve');
      expect(name).to.have.property('cause').that.matches(cause);
    });
});
