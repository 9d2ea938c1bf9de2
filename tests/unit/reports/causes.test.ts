// One cause is told once, with all its cells: each row is a fault as somebody would make it, and the causes that it comes to.
import { expect } from 'chai';
import type { Facts, Finding, Flow, HostRecord, RunRecord, Verdict, Walls } from '../../../lib/model.ts';
import { causesOf } from '../../../lib/reports/causes.ts';
import { aFinding, aRecord, passed, reached, untold } from '../../fixtures/flows.ts';

const ports = [22, 25, 53, 80, 443, 8080];
const targets = ['chat.signal.org', '1.1.1.1', 'github.com'];
const out: Partial<Flow> = { address: '198.51.100.80', network: 'wan', family: 'external', route: { destination: 'default', kind: 'unicast', interface: 'eth0', via: '172.22.22.4' } };

/** joi to the outside by the gateway, and mesh and gateway to ntp over both families; all is well but what `over` says. */
function aSite(over: (finding: Finding) => Partial<Finding> | null, more: readonly Finding[] = []): RunRecord {
  const outward = targets.flatMap((to) => ports.map((port) => aFinding(`joi -> ${to} tcp/${port}`, passed, { ...out, to, port })));
  const inward = ['mesh', 'gateway'].flatMap((from) => [...['172.22.22.3', 'fe80::3%eth1'].entries()].flatMap(([six, address]) =>
    ports.map((port) => aFinding(`${from} -> ntp vmbr1${six === 1 ? '/ll' : ''} tcp/${port}`, passed, { from, address, port }))));
  const findings = [...outward, ...inward, ...more].map((finding) => ({ ...finding, ...over(finding) }));
  const record = aRecord(findings);
  return { ...record, run: { ...record.run, hosts: record.run.hosts.map((host): HostRecord => (host.name === 'gateway' ? { ...host, facts: { ...(host.facts as Facts), addresses: [{ interface: 'eth1', address: '172.22.22.4', prefix: 29, scope: 'global' }] } } : host)) } };
}

const bad = (fits: (flow: Flow) => boolean, verdict: Verdict = reached): ((finding: Finding) => Partial<Finding> | null) => ({ flow }) => (fits(flow) ? { verdict } : null);
const past: Walls = {
  near: { stands: true, grade: 'proven', reason: '', controls: [], observation: null },
  far: { stands: false, grade: null, reason: 'reached: TCP handshake', controls: ['frame'], observation: null },
};
const takeover: Verdict = { result: 'fail', reason: 'open to who takes the machine over: past its own firewall, it is reached: TCP handshake', controls: ['frame'] };

type Row = readonly [fault: string, record: RunRecord, causes: readonly (readonly [title: RegExp, cells: number, next: RegExp])[]];
const rows: readonly Row[] = [
  ['one port to every target outside', aSite(bad(({ from, port }) => from === 'joi' && port === 443)), [[/^joi -> internet tcp\/443 is open$/, 3, /gateway's forward chain and joi's output chain/]]],
  ['every port to every target outside', aSite(bad(({ from }) => from === 'joi')), [[/^joi -> internet at any port is open$/, 18, /gateway's forward chain/]]],
  ['one port of a machine, from everybody', aSite(bad(({ to, port }) => to === 'ntp' && port === 8080)), [[/^mesh, gateway -> ntp tcp\/8080 is open$/, 4, /ntp's input chain, then at mesh, gateway's output chain/]]],
  ['a machine without a firewall', aSite(bad(({ to }) => to === 'ntp')), [[/^ntp lets everything in \(from mesh, gateway\)$/, 24, /ntp's input chain/]]],
  ['a machine that trusts another', aSite(bad(({ from }) => from === 'mesh')), [[/^ntp lets everything in from mesh$/, 12, /ntp's input chain/]]],
  ['IPv6 forgotten', aSite(bad(({ to, address }) => to === 'ntp' && address?.includes(':') === true)), [[/^ntp lets in over IPv6 what it stops over IPv4/, 12, /family inet/]]],
  ['a way past joi\'s own firewall alone', aSite(({ flow }) => (flow.from === 'joi' && flow.port === 443 ? { verdict: takeover, walls: past } : null)), [[/^joi -> internet tcp\/443 is open to who takes joi over$/, 3, /^look at gateway's forward chain$/]]],
  ['a neighbour that forwards', aSite(bad(() => false), [443, 53].map((port) => aFinding(`joi -> 1.1.1.1 tcp/${port} by mesh`, reached, { ...out, family: 'another way', by: 'mesh', to: '1.1.1.1', port }))), [[/^mesh forwards what others send by it \(from joi\)$/, 2, /ip_forward=0 and net\.ipv6\.conf\.all\.forwarding=0 on mesh/]]],
  ['one port to every target outside, where joi itself stops all others', aSite((finding) => (finding.flow.from !== 'joi' ? null : finding.flow.port === 443 ? { verdict: reached } : { observation: { ...finding.observation, outcome: { seen: 'barred', detail: 'EPERM' } } })), [[/^joi -> internet tcp\/443 is open$/, 3, /./]]],
  ['a port that is open, from a source port too', aSite(bad(({ from, port }) => from === 'joi' && port === 443), [aFinding('joi -> 1.1.1.1 tcp/443 from 53', reached, { ...out, family: 'source port', to: '1.1.1.1', port: 443, sourcePort: 53 })]), [[/^joi -> internet tcp\/443 is open$/, 4, /./]]],
  ['a stateless rule for replies', aSite(bad(() => false), [40_001, 53].map((port) => aFinding(`joi -> ntp vmbr1 udp/${port} from 53`, reached, { family: 'source port', transport: 'udp', port, sourcePort: 53 }))), [[/^joi -> ntp is open to whatever is sent from udp\/53$/, 2, /connection tracking/]]],
  ['a row whose service is down', aSite(bad(() => false), [aFinding('mesh -> ntp vmbr1 udp/123', { result: 'fail', reason: 'no service, or the reply is lost: the path is open (x)', controls: [] }, { from: 'mesh', expected: 'allowed', row: 'mesh-ntp', transport: 'udp', port: 123 })]), [[/^row "mesh-ntp" does not work \(from mesh\)$/, 1, /whether the service listens on ntp udp\/123/]]],
  ['a machine that is off', aSite(bad(() => false), ['mesh', 'joi'].map((from) => aFinding(`${from} -> gateway vmbr1 tcp/22`, { result: 'fail', reason: 'blocked: no ARP', controls: [] }, { from, to: 'gateway', expected: 'allowed', row: `${from}-gateway`, port: 22 }))), [[/^gateway answers nobody \(asked by mesh, joi\)$/, 2, /whether gateway runs/]]],
  ['a connection that outlived its row', aSite(bad(() => false), [aFinding('joi => surviving sessions', reached, { family: 'surviving session', transport: 'ip', port: 0, to: 'any', address: null, route: null })]), [[/^a connection of joi outlived/, 1, /conntrack -D/]]],
];

describe('causes', () => {
  for (const [fault, record, expected] of rows)
    it(`${fault} is told once, with what to look at`, () => {
      const causes = causesOf(record);
      expect(causes.map(({ title, cells }) => [title, cells.length])).to.have.length(expected.length);
      for (const [index, [title, cells, next]] of expected.entries()) {
        expect(causes[index]?.title).to.match(title);
        expect(causes[index]?.cells).to.have.length(cells);
        expect(causes[index]?.next).to.match(next);
      }
    });
  it('two faults are two causes', () => expect(causesOf(aSite(bad(({ from, port }) => from === 'joi' && (port === 22 || port === 443)))).map(({ title }) => title)).to.deep.equal(['joi -> internet tcp/22 is open', 'joi -> internet tcp/443 is open']));
  it('of an intact site there is none', () => expect(causesOf(aSite(() => null))).to.deep.equal([]));

  const entered = (gateway: string, joi: string): readonly string[] => {
    const record = aSite(({ flow }) => (flow.from === 'joi' || flow.to === 'ntp' ? { verdict: untold } : null));
    const hosts = record.run.hosts.map((host): HostRecord => ({ ...host, failure: host.name === 'gateway' && gateway !== '' ? { operation: 'login', cause: gateway } : host.name === 'joi' || host.name === 'ntp' ? { operation: 'login', cause: joi } : null }));
    return causesOf({ ...record, run: { ...record.run, hosts } }).map(({ title, next }) => `${title}; ${next}`);
  };
  it('a host that could not be entered is one cause, with all cells from it and to it', () => expect(entered('', 'no key of ours')).to.deep.equal([
    'joi could not be entered; mend the way in, then run again: no key of ours',
    'ntp could not be entered; mend the way in, then run again: no key of ours',
  ]));
  it('a gateway that could not be entered is the cause of all behind it', () => expect(entered('refused', 'no way in but by gateway: refused')).to.deep.equal(['gateway could not be entered; mend the way in, then run again: refused']));
  it('a run that was stopped is one cause', () => {
    const record = aSite(() => ({ verdict: untold }));
    expect(causesOf({ ...record, run: { ...record.run, stopped: 'stopped by SIGINT' } }).map(({ title, cells }) => [title, cells.length])).to.deep.equal([['the run ended before its time', 42]]);
  });
  it('what is waived is told by its waiver, after the rest', () => {
    const waiver = { cells: 'joi -> * tcp/443', reason: 'the old pump', acceptedBy: 'anna', until: '2027-01-31' };
    const causes = causesOf(aSite(({ flow }) => (flow.from === 'joi' && flow.port === 443 ? { verdict: reached, waiver } : flow.to === 'ntp' && flow.port === 22 ? { verdict: reached } : null)));
    expect(causes.map(({ result }) => result)).to.deep.equal(['fail', 'waived']);
    expect(causes[1]?.title).to.equal('joi -> * tcp/443: waived until 2027-01-31 by anna: the old pump');
  });
  it('each finding that is no pass is in exactly one cause', () => {
    const record = aSite(({ flow }) => (flow.port % 3 === 0 ? { verdict: untold } : flow.port % 2 === 0 ? { verdict: reached } : null));
    const wrong = record.findings.filter(({ verdict }) => verdict.result !== 'pass').map(({ flow }) => flow.id);
    expect(causesOf(record).flatMap(({ cells }) => cells.map(({ flow }) => flow.id)).toSorted()).to.deep.equal(wrong.toSorted());
  });

  it('is said as a person would: expected, seen, way, proof', () => {
    const [cause] = causesOf(aSite((finding) => (finding.flow.port === 443 && finding.flow.from === 'joi' ? {
      verdict: reached, flow: { ...finding.flow, row: 'joi-any-wan' },
      observation: { ...finding.observation, outcome: { seen: 'answered', detail: 'TCP handshake', rttMs: 1.23 }, replies: [{ event: 'connected', try: 1, ms: 1.23 }] },
    } : null)));
    expect(cause).to.include({
      result: 'fail', expected: 'denied: row "joi-any-wan" is TEMP, phase is steady', seen: 'joi -> chat.signal.org tcp/443: REACHED 198.51.100.80 in 1.2 ms: TCP handshake',
      way: 'it left joi by eth0 and came through gateway', proof: 'its own answer: a TCP handshake after 1.2 ms',
    });
  });
});
