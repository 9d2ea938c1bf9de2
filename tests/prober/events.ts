// What the prober tests ask of the bench and of events, over and over.
import { expect } from 'chai';
import { near, run, until, type Prober } from './bench.ts';

let listeners = 0;

/** A listener that stands. `ended` and `hush` give its events, without `listening` and the end. */
export async function listenAt(prober: Prober, what: string): Promise<{ id: string; ended: Promise<string[]>; hush: () => Promise<string[]> }> {
  listeners += 1;
  const id = `l${listeners}`;
  const events = (): string[] => prober.lines.filter((line) => line.startsWith(`${id} `)).map((line) => line.slice(id.length + 1));
  prober.send(`${id} listen ${what}`);
  await until(`${what} stands`, () => events().length > 0);
  expect(events()[0], what).to.equal('listening');
  const ended = async (): Promise<string[]> => {
    await until(`${what} ends`, () => events().includes('end'));
    expect(events().at(-1)).to.equal('end');
    return events().slice(1, -1);
  };
  return {
    id,
    get ended() { return ended(); },
    async hush() {
      expect(await prober.ask(`hush ${id}`)).to.deep.equal([]);
      return await ended();
    },
  };
}

export function linkLocal(namespace: string): string {
  return /inet6 (fe80::[0-9a-f:]+)/.exec(run(namespace, 'ip -6 addr show dev wire'))?.[1] ?? '';
}

/** A /proc without /proc/net, as on kernels without CONFIG_NF_CONNTRACK_PROCFS. */
export const withoutProcNet = ['unshare', '--mount', 'sh', '-c', 'mount -t proc -o subset=pid proc /proc && exec "$@"', 'sh'];

/** Does something while a sysctl of the near namespace has another value. */
export async function withSetting<T>(name: string, value: string, act: () => Promise<T>): Promise<T> {
  const old = run(near, `sysctl -n ${name}`).trim();
  run(near, `sysctl -qw ${name}=${value}`);
  try {
    return await act();
  } finally {
    run(near, `sysctl -qw ${name}=${old}`);
  }
}

/** How many looks were under way at the same time. */
export function mostAtOnce(lines: readonly string[]): number {
  let under = 0;
  let most = 0;
  for (const line of lines) {
    if (line.includes(' sent 1 ')) under += 1;
    if (line.endsWith(' end')) under -= 1;
    most = Math.max(most, under);
  }
  return most;
}

function readRow(event: string): string {
  const [what, hex = ''] = event.split(' ');
  expect(what).to.equal('row');
  return Buffer.from(hex, 'hex').toString();
}

/** `#` in the pattern is a number. */
export function expectEvents(events: readonly string[], patterns: readonly string[]): void {
  const shown = events.map((event, n) => {
    const want = patterns[n]?.split(' ') ?? [];
    return event.split(' ').map((word, at) => (want[at] === '#' && /^\d+(\.\d+)?$/.test(word) ? '#' : word)).join(' ');
  });
  const short = (event: string): string => (event.length < 300 ? event : `${event.slice(0, 100)}… (${event.length}, ${event.split(' ').at(-1) ?? ''})`);
  expect(shown.map(short)).to.deep.equal(patterns.map(short));
}

/** Of a witness's events the entries. */
export const readRows = (events: readonly string[]): string[] => events.filter((event) => !event.startsWith('fact ')).map(readRow);
