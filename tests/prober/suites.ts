// What the prober tests stand on: a suite for each kind of prober, with the bench put up, and a table of looks.
import { near, putUp, start, takeDown, type Kind, type Prober } from './bench.ts';
import { expectEvents } from './events.ts';

export const hello = Buffer.from('hello').toString('hex');
/** An NTP-like datagram with what shells and printf stumble over: NUL, newline, %, backslash, 0xff. */
export const binary = `0a00250a5c2d6e00ff0d${'00'.repeat(37)}0a`;

/** On an idle machine it takes less than 100 ms, and 2 s are promised; a loaded one needs more, a leak would stay for a minute. */
export const goneWithinMs = 40_000;

/** `proberIn` gives a prober that the tests of a suite share. */
export type Suite = Readonly<{ kind: Kind; sh: boolean; proberIn: (namespace: string) => Promise<Prober> }>;

/** Each started as vantage.ts starts it, against real sockets, routes and firewalls in namespaces of our own. */
export function forEachKind(title: string, define: (suite: Suite) => void, kinds: readonly Kind[] = ['python', 'ash', 'dash', 'bash']): void {
  for (const kind of kinds) {
    describe(`${title}, ${kind}`, function () {
      this.timeout(600_000); // beside all other tests on a slow machine; what hangs is ended in the end
      const probers = new Map<string, Promise<Prober>>();
      const proberIn = (namespace: string): Promise<Prober> => {
        const started = probers.get(namespace) ?? start(kind, { namespace });
        probers.set(namespace, started);
        return started;
      };
      before(putUp);
      after(takeDown);
      define({ kind, sh: kind !== 'python', proberIn });
    });
  }
}

/**
 * `#` stands for a number. Windows are long enough for a loaded machine; what is decided ends early anyway. What sh cannot know
 * stands in its own list of events: no ICMP, no source port, no handshake time, no `closed`.
 */
export type Case = Readonly<{ name: string; command: string; python: readonly string[]; sh: readonly string[]; namespace?: string }>;

/** All at once, as in a real run; each test then awaits its own. */
export function saysOf(cases: readonly Case[], { sh, proberIn }: Suite): void {
  describe('says of', () => {
    const asked = new Map<Case, Promise<string[]>>();
    before(async () => {
      for (const one of cases) {
        const prober = await proberIn(one.namespace ?? near);
        asked.set(one, prober.ask(one.command));
      }
    });
    for (const one of cases) {
      it(one.name, async () => {
        expectEvents(await asked.get(one) ?? [], sh ? one.sh : one.python);
      });
    }
  });
}
