// One look: what cut an allowed flow's exchange short by chance is asked again, and nothing else is.
import { expect } from 'chai';
import { look, lookAtAll } from '../../lib/look.ts';
import type { Exchange, Flow, Observation, Probe, Reply } from '../../lib/model.ts';
import type { Looked } from '../../lib/vantage.ts';
import { aFlow, anObservation, token } from '../fixtures/flows.ts';
import { changed, good } from '../fixtures/protocols.ts';
import { plan } from '../fixtures/site.ts';
import { mute } from '../fixtures/vantage.ts';

const sent: Reply = { event: 'sent', try: 1, sourcePort: 40_000, ms: 0 };
const connected: Reply = { event: 'connected', try: 1, ms: 1 };
const dead: Reply = { event: 'error', try: 1, errno: 'EHOSTUNREACH', operation: 'connect' };
const refused: Reply = { event: 'error', try: 1, errno: 'ECONNREFUSED', operation: 'connect' };
const echoed: Reply = { event: 'data', try: 1, hex: token, ms: 1, from: null };

async function ask(flow: Partial<Flow>, send: string, rounds: readonly (readonly Reply[])[], failure: Looked['failure'] = null): Promise<Readonly<{ seen: Observation['outcome']['seen']; asked: number; tries: readonly number[] }>> {
  let asked = 0;
  const exchange = (): Promise<Looked> => Promise.resolve({ replies: rounds[Math.min(asked++, rounds.length - 1)] ?? [], failure });
  const how: Exchange = { transport: 'tcp', address: '172.22.22.3', port: 25, sourcePort: 0, send, attempts: 16, intervalMs: 250, windowMs: 1500 };
  const probe = { id: 'cell', vantage: 'joi', token, flow: aFlow(flow), look: { by: 'exchange' as const, exchange: how } };
  const { outcome, replies } = await look(probe, { entered: [], vantages: new Map([['joi', { ...mute, exchange }]]), stopped: () => null });
  return { seen: outcome.seen, asked, tries: replies.flatMap((reply) => (reply.event === 'sent' ? [reply.try] : [])) };
}

describe('look: an exchange', () => {
  const allowed: Partial<Flow> = { expected: 'allowed', protocol: 'udp', transport: 'tcp' };
  const asksDhcp: Partial<Flow> = { expected: 'allowed', protocol: 'dhcp', transport: 'udp' };
  const dhcpReply = good('dhcp').reply;
  const acked = changed(dhcpReply, Object.fromEntries([...Buffer.from(token, 'hex').subarray(0, 4)].map((byte, index) => [4 + index, byte]))).toString('hex');
  const foreign: Reply = { event: 'data', try: 1, hex: changed(dhcpReply, { 4: 0, 5: 0, 6: 0, 7: 0 }).toString('hex'), ms: 1, from: null };
  const rows: readonly (readonly [sentence: string, flow: Partial<Flow>, send: string, rounds: readonly (readonly Reply[])[], seen: string, asked: number])[] = [
    ['of an allowed flow whose neighbour was not found is made again, and an answer counts', allowed, token, [[sent, dead], [sent, echoed]], 'answered', 2],
    ['of an allowed flow that connects and then hears nothing is made again', allowed, token, [[sent, connected], [sent, connected], [sent, echoed]], 'answered', 3],
    ['of an allowed flow that goes on like that ends', allowed, token, [[sent, dead]], 'dead', 6],
    ['of an allowed flow with a wrong answer is made once', allowed, token, [[sent, connected, { ...echoed, hex: '00' }]], 'garbled', 1],
    ['of an allowed flow that hears what is meant for another client is made again', asksDhcp, token, [[sent, foreign], [sent, { ...foreign, hex: acked }]], 'answered', 2],
    ['of an allowed flow that hears nothing else ends', asksDhcp, token, [[sent, foreign]], 'garbled', 6],
    ['of an allowed flow that hears no DHCP at all is made once', asksDhcp, token, [[sent, { ...foreign, hex: '00' }]], 'garbled', 1],
    ['of a denied flow that hears what is meant for another client is made once', { ...asksDhcp, expected: 'denied' }, token, [[sent, foreign]], 'garbled', 1],
    ['of an allowed flow that was refused is made once', allowed, token, [[sent, refused]], 'refused', 1],
    ['of an allowed flow that is silent has had its tries', allowed, token, [[sent]], 'silent', 1],
    ['of a denied flow whose neighbour was not found is made once', {}, '', [[sent, dead]], 'dead', 1],
  ];
  for (const [sentence, flow, send, rounds, seen, asked] of rows) it(sentence, async () => expect(await ask(flow, send, rounds)).to.include({ seen, asked }));

  it('that was made again has all its tries in the evidence', async () => expect((await ask(allowed, token, [[sent, dead], [sent, dead], [sent, echoed]])).tries).to.deep.equal([1, 2, 3]));
  it('that the prober could not make is not made again', async () => expect(await ask(allowed, token, [[]], { operation: 'exchange', cause: 'gone' })).to.include({ seen: 'unprobed', asked: 1 }));
});

describe('look: all of a plan', () => {
  const flows = plan().flows.filter(({ flow }) => flow.from === 'joi');
  const denied = flows.find(({ flow, farWall }) => flow.expected === 'denied' && flow.transport === 'tcp' && farWall !== null);
  const allowed = flows.find(({ flow }) => flow.expected === 'allowed');

  /** The ids in the order in which their looks began and ended, each of which takes a turn of the event loop. */
  async function order(): Promise<readonly string[]> {
    const said: string[] = [];
    const one = async (probe: Probe): Promise<Observation> => {
      said.push(`begins ${probe.id}`);
      await new Promise(setImmediate);
      said.push(`ended ${probe.id}`);
      return anObservation({ id: probe.id });
    };
    const observations = await lookAtAll({ ...plan(), flows: [allowed, denied].filter((flow) => flow !== undefined), controls: [] }, one, () => Promise.resolve(void said.push('counted')));
    expect(observations.map(({ id }) => `ended ${id}`)).to.have.members(said.filter((line) => line.startsWith('ended')));
    return said;
  }
  const place = async (line: string): Promise<number> => {
    const at = (await order()).indexOf(line);
    expect(at, line).to.not.equal(-1);
    return at;
  };

  it('counts RSTs when what is denied has been looked at, and before anything connects', async () => {
    expect(await place('counted')).to.be.above(await place(`ended ${denied?.probe.id}`)).and.above(await place(`ended ${denied?.farWall?.id}`));
    expect(await place('counted')).to.be.below(await place(`begins ${allowed?.probe.id}`));
  });
  it('sends frames when the looks of users have ended', async () => expect(await place(`begins ${denied?.farWall?.id}`)).to.be.above(await place(`ended ${denied?.probe.id}`)));
});
