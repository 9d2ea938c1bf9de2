// A connection through the gateway's session: silence of the far end is told from a session that stands still.
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { connectThrough } from '../../lib/connect.ts';

const channel = (): Duplex => new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
const never = new Promise<never>(() => undefined);
const pace = { tries: 16, everyMs: 100 } as const;
const place = { hostName: '172.22.22.2', port: 22 } as const;
type Through = Parameters<typeof connectThrough>[1];
const session = (over: Partial<Through>): Through => ({ login: { name: 'gateway' }, exec: () => Promise.resolve(channel()), forward: () => never, closed: never, ...over });
const told = (over: Partial<Through>): Promise<string> => connectThrough(place, session(over), pace).then(() => 'stands', (error: Error) => error.message);
/** What is asked waits until then: a stream whose packets are lost, and come all at once. */
const after = (ms: number): Pick<Through, 'exec'> => {
  const open = new Promise((resolve) => setTimeout(resolve, ms));
  return { exec: () => open.then(channel) };
};

describe('connect: through the gateway', () => {
  it('stands as soon as one try does', async () => {
    let asked = 0;
    expect(await told({ forward: () => (++asked < 3 ? never : Promise.resolve(channel())) })).to.equal('stands');
    expect(asked).to.equal(3);
  });
  it('is silent where the session could be heard all the while', async () => expect(await told({})).to.equal('timed out'));
  it('stalls where the session is not heard at all', async () => expect(await told({ closed: Promise.resolve('it ended'), exec: () => never })).to.equal('the session on gateway stalls'));
  it('stalls where the session is heard again only when the tries are over', async () => expect(await told(after(18 * pace.everyMs))).to.equal('the session on gateway stalls'));
  it('stalls where the session stood still for half of them', async () => expect(await told(after(10 * pace.everyMs))).to.equal('the session on gateway stalls'));
  it('is silent where the session only began late', async () => expect(await told(after(2 * pace.everyMs))).to.equal('timed out'));
  it('says what sshd says', async () => expect(await told({ forward: () => Promise.reject(new Error('Channel open failure: Connection refused')) })).to.include('Connection refused'));
});
