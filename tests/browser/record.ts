// A run with something in every field that a report can show, and the same with another text in each of them.
import type { Finding, RunRecord, Wall } from '../../lib/model.ts';
import { aBacking, aConfiguration, aFinding, anObservation, aRecord, aWitness, failed, held, passed, reached, untold } from '../fixtures/flows.ts';

const waiver = { cells: 'joi -> * tcp/80', reason: 'old switch', acceptedBy: 'anna', until: '2026-12-31' };
const wall: Wall = { stands: true, grade: 'proven', reason: 'EPERM on send', controls: ['near wall'], observation: anObservation() };
const backing = aBacking({ sender: held('sender'), alive: failed('alive'), near: held('near'), left: aWitness({ saw: 'it left' }), witnesses: [aWitness()], listener: aWitness({ saw: 'a handshake' }), resets: { id: 'resets', sent: true, counted: true, detail: 'one reset' }, overlay: held('overlay') });
const replies: Finding['observation']['replies'] = [
  { event: 'sent', try: 1, sourcePort: 50_000, ms: 0 }, { event: 'data', try: 1, hex: '3c696d673e', ms: 3, from: '198.51.100.80' }, { event: 'icmp', try: 1, version: 4, type: 3, code: 13, from: '172.22.22.4' },
  { event: 'error', try: 2, errno: 'EPERM', operation: 'send' }, { event: 'unprobed', errno: 'EACCES', operation: 'bind' },
];

export const record: RunRecord = aRecord([
  { ...aFinding('joi -> internet tcp/443', reached, { to: 'chat.signal.org', port: 443, address: '198.51.100.80' }, { note: 'a second look', replies, outcome: { seen: 'answered', detail: 'TCP handshake', rttMs: 1.2 } }), backing, walls: { near: wall, far: { ...wall, stands: false } } },
  { ...aFinding('joi -> internet tcp/80', reached, { to: 'chat.signal.org', port: 80, row: 'joi-any-wan' }), waiver },
  aFinding('ntp -> joi vmbr1 tcp/26', { ...untold, controls: ['alive'] }, { from: 'ntp', to: 'joi', port: 26 }),
  { ...aFinding('ntp -> joi vmbr1 udp/123', passed, { from: 'ntp', to: 'joi', transport: 'udp', port: 123, expected: 'allowed', row: 'ntp-joi' }), backing },
  ...Array.from({ length: 150 }, (_none, index) => aFinding(`mesh -> ntp vmbr1 tcp/${1000 + index}`, passed, { from: 'mesh', to: 'ntp', port: 1000 + index })),
], {
  confined: ['joi'], warnings: ['a Match exec'], stopped: 'interrupted', selection: '--grep joi', matrixHash: 'ab12', clock: { cell: 'mesh -> ntp vmbr1 udp/123', offsetMs: 12, withinMs: 4, serverTime: '2026-11-23T04:05:50.000Z', localTime: '2026-11-23T04:05:50.012Z' },
  gaps: [{ reason: 'no raw packets', cells: 8, example: 'mesh -> ntp vmbr1 ip/4' }], waivers: [{ ...waiver, state: 'expired', cellCount: 3, violations: ['joi -> internet tcp/80'] }, { ...waiver, state: 'stale', cellCount: 1, violations: [] }],
  hosts: ['mesh', 'joi', 'ntp'].map((name) => ({ name, prober: 'python as root', hostKey: 'SHA256:abc', failure: name === 'ntp' ? { operation: 'login', cause: 'no shell' } : null, facts: { kernel: 'Linux 6.1', addresses: [{ interface: 'eth0', address: '172.22.22.4', prefix: 29, scope: 'global' }], routes: [], resolvers: [], links: [], neighbours: [] }, configuration: aConfiguration })),
});

/** Words of ours that the reports choose by: whoever writes these writes the program. */
const ours = new Set(['result', 'grade', 'seen', 'event', 'expected', 'state', 'transport']);

/** The value with every other text changed; `change` gets the text and the name of its field. */
export function withTexts<T>(value: T, change: (text: string, field: string) => string, field = ''): T {
  if (typeof value === 'string') return (ours.has(field) ? value : change(value, field)) as T;
  if (Array.isArray(value)) return value.map((one: unknown) => withTexts(one, change, field)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts<unknown>(one, change, name)])) as T;
}
